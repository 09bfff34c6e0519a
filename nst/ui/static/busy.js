// Buttons from the click to the end of a run: Paint, Stop, Continue, Download.
() => [
  { __type__: 'update', value: 'Painting', interactive: false },
  { __type__: 'update', interactive: true },
  { __type__: 'update', interactive: false },
  { __type__: 'update', interactive: false },
]
