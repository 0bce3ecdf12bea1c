"""Two drawings in one pose: common in grey, removed red, added blue, changes circled."""
