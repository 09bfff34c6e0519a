// From the click that begins a run: the button that ends it, and nothing that could be done with a picture.
() => ['busy', null]
