"""Sound as numbers: frames, buffer, mixer, tones; only `rtc` knows LiveKit's ends of it."""
