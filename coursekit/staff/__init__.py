"""The staff's tools: they cut the student edition, make its data, and grade a class. Nothing here is shipped to students."""
