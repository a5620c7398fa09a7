"""Is a drum track a copy? Its nearest training bars, longest verbatim run and shared passages, found through an index built once."""
