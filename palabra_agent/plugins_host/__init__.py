"""Host of the plugins: finds, loads, configures, opens, asks and closes them, each on its own."""
