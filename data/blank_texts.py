"""What is not seen of a text."""

# Blanks, controls, and what is invisible: joiners, the marks of byte order and direction, the fillers of Hangul and the
# empty cell of Braille, which Unicode counts among letters and symbols.
BLANK = r"[\pZ\p{Cc}\p{Cf}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]"
