"""Sets of characters as patterns name them, in a graph too: what is not seen, and scripts without blanks."""

# Blanks, controls, and what is invisible: joiners, the marks of byte order and direction, the fillers of Hangul and the
# empty cell of Braille, which Unicode counts among letters and symbols.
BLANK = r"[\pZ\p{Cc}\p{Cf}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]"
# Scripts that set no blanks between words, as the inside of a set of characters, for RE2 too.
WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
# Marks of Kana that Unicode gives to no script.
KANA_MARKS = "\u30fc\uff70\uff9e\uff9f"
