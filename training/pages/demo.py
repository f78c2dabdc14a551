"""The page of `demo`: a field to type into, or a place to drop a file, and the answer below it."""

from collections.abc import Sequence

from training.pages.inside import Look
from training.pages.page import page
from training.pages.parts import Raw, Section, Table

SCRIPT = """
const form = document.querySelector("form"), field = form.elements.input, place = document.querySelector("#answer");
async function ask(content) {
  place.setAttribute("aria-busy", "true");
  try {
    const headers = content.name ? {"X-File-Name": encodeURIComponent(content.name)} : {};
    const reply = await fetch("/", {method: "POST", body: content, headers});
    place.innerHTML = await reply.text();
    place.querySelectorAll(".unrolled").forEach(watch);
  } catch (error) { place.textContent = "no answer: has `demo` been ended?"; }
  place.removeAttribute("aria-busy");
}
form.addEventListener("submit", event => {
  event.preventDefault();
  const content = field.type === "file" ? field.files[0] : field.value;
  if (content) ask(content);
});
if (field.type === "file") {
  field.addEventListener("change", () => form.requestSubmit());
  document.addEventListener("dragover", event => event.preventDefault());
  document.addEventListener("drop", event => {
    event.preventDefault();
    if (event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
  });
} else field.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); form.requestSubmit(); }
});
"""


def start_page(template: str, run: str, are_files: bool) -> str:
    """The page as it opens.

    Args:
        template: The template's name.
        run: The run's.
        are_files: Whether an input is a file.
    """
    if are_files:
        field = '<label>A file (or drop one here) <input name="input" type="file"></label>'
    else:
        field = '<label>A text <textarea name="input" rows="3" autofocus dir="auto"></textarea></label>'
    form = f'<form>{field} <button>Answer</button></form><div id="answer" aria-live="polite"></div>'
    return page(f"{template}: {run}", [Section("", [Raw("", form)])], script=SCRIPT)


def answer_page(look: Look, outputs: Sequence[tuple[str, str]]) -> str:
    """What is put below the field.

    Args:
        look: What was seen inside.
        outputs: The exported model's outputs by name; none where it could not be asked.
    """
    answer = look.answer if not look.error else f"no answer: {look.error}"
    exported = [Table("What the exported model answers", (), outputs)] if outputs else []
    return Section(answer, [*exported, *look.parts]).html()
