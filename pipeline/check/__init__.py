"""Look a city's raw files over before anybody believes a ranking made from them."""
