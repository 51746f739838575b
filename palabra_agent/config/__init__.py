"""What every configuration is built from: field types, texts read strictly, mistakes in words.

`fields` stands with the words of the package and may be imported by pure logic; the rest belongs
to the layer of `settings` and `room_config`, which are the doors.
"""
