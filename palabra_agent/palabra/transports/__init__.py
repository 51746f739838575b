"""The two ways to a session, behind one port."""
