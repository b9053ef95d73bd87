"""Small repositories, each broken in one known way, and what `greylag verify` says of them."""
