"""The network: VGG-19 and a narrow one of its layout, as feature extractors."""
