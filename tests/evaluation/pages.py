"""Reading a page as a browser would: are its tags balanced, what does it load, what does it say."""

from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "link", "hr", "source"}
LOADING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


class Page(HTMLParser):
    """The tags of a page, in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text, self.faults = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"<{t}> is not closed" for t in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def list_loaded(self):
        """What attributes refer to outside the page."""
        named = [(a, v or "") for _, attributes in self.tags for a, v in attributes.items() if a in LOADING]
        return [v for _, v in named if not v.startswith(("#", "data:"))]

    def list_doubled_ids(self):
        ids = [a["id"] for _, a in self.tags if "id" in a]
        return sorted({i for i in ids if ids.count(i) > 1})
