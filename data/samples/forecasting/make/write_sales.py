"""Writes forecasting's sample: three years of daily sales of twelve invented shops, and what is known 28 days beyond.

Sales have a level and a trend of each shop, a week and a year of its kind, and noise. On some days a shop has a
promotion, some days are closed, and before some it is fair week: all three are planned beforehand and stand in the
table, also for the last 28 days, whose sales are not known. Which days those are follows no season.

Run `python data/samples/forecasting/make/write_sales.py`: it rewrites `data/samples/forecasting/train.csv` byte for
byte. Only the standard library is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same
in every Python version.
"""

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

SEED = 20240607
FIRST, DAYS, AHEAD = date(2021, 3, 1), 1096, 28
SHOPS_OF_A_KIND = 4
# Monday to Sunday, and by how much the best day of the year is above the mean, which day that is, and what a promotion
# multiplies sales by.
KINDS = {
    "bakery": ((0.9, 0.85, 0.9, 1.0, 1.15, 1.45, 0.75), 0.10, 350, 1.4),
    "garden": ((0.7, 0.7, 0.8, 0.9, 1.2, 1.7, 1.0), 0.55, 140, 1.8),
    "toys": ((0.8, 0.8, 0.9, 0.95, 1.1, 1.6, 0.85), 0.40, 345, 2.2),
}
FAIR = 1.5


def chosen_days(draw: random.Random, total: int, apart: int, longest: int) -> set[int]:
    """Runs of days: on average one in so many days, of up to so many days."""
    days: set[int] = set()
    day = int(draw.random() * apart)
    while day < total:
        length = 1 + int(draw.random() * longest)
        days |= set(range(day, min(day + length, total)))
        day += length + 2 + int(draw.random() * 2 * (apart - longest / 2))
    return days


def rows_of(kind: str, number: int, draw: random.Random) -> list[list[str]]:
    """The rows of a shop."""
    week, swing, peak, promotion_effect = KINDS[kind]
    level, growth = 40 * 10 ** draw.random(), 0.4 * draw.random() - 0.1
    own_week = [share * (0.9 + 0.2 * draw.random()) for share in week]
    total = DAYS + AHEAD
    promotions = chosen_days(draw, total, apart=18, longest=5)
    closed = chosen_days(draw, total, apart=45, longest=2)
    fairs = chosen_days(draw, total, apart=60, longest=6)
    rows = []
    slow = 0.0
    for place in range(total):
        day = FIRST + timedelta(days=place)
        noise = sum(draw.random() for _ in range(6)) / 3 - 1  # nearly normal, mean 0, deviation 0.24
        slow = 0.97 * slow + 0.08 * (draw.random() - 0.5)
        angle = 2 * math.pi * (day.timetuple().tm_yday - peak) / 365.25
        sales = level * (1 + growth * place / 365) * own_week[day.weekday()] * math.exp(swing * math.cos(angle) + slow)
        sales *= (promotion_effect if place in promotions else 1) * (1 + 0.25 * noise)
        event = "closed" if place in closed else "fair" if place in fairs else "none"
        sales *= {"closed": 0, "fair": FAIR, "none": 1}[event]
        known = str(max(round(sales), 0)) if place < DAYS else ""
        rows.append([f"{kind}-{number}", day.isoformat(), known, str(int(place in promotions)), event, kind])
    return rows


def write(folder: Path) -> None:
    """Writes the table into a folder."""
    draw = random.Random(SEED)
    with open(folder / "train.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["unique_id", "ds", "y", "promotion", "event", "kind"])
        for kind in KINDS:
            for number in range(1, SHOPS_OF_A_KIND + 1):
                writer.writerows(rows_of(kind, number, draw))


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
