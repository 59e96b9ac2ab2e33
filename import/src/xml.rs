//! Pure: documents in XML as trees. Definitions of entities are not read, so nothing expands, and the depth is bounded.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// No file that is read here is deeper.
const DEEPEST: usize = 100;

/// An element with what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    /// Without the prefix of its namespace.
    pub(crate) name: String,
    /// From 1.
    pub(crate) line: usize,
    /// Attributes with their values.
    attributes: Vec<(String, String)>,
    /// The text directly in it.
    text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The outermost element of a document.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        // Begins with a place for the outermost element.
        let mut open = vec![Self::default()];
        let mut place = Place::default();
        loop {
            let line = place.line(text, reader.buffer_position());
            let event = reader.read_event().map_err(|error| format!("line {line}: {error}"))?;
            match event {
                Event::Start(start) => open.push(Self::opened(&start, line)?),
                Event::Empty(start) => add(&mut open, Self::opened(&start, line)?),
                Event::End(_) => {
                    let closed = open.pop().unwrap_or_default();
                    add(&mut open, closed);
                }
                Event::Text(part) => {
                    let part = part.unescape().map_err(|error| format!("line {line}: {error}"))?;
                    append(&mut open, &part);
                }
                Event::CData(part) => append(&mut open, &String::from_utf8_lossy(&part)),
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if open.len() > DEEPEST {
                return Err(format!("line {line}: it is nested too deeply"));
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(document), true) => document.children.into_iter().next().ok_or_else(|| "it has no element".into()),
            (Some(unclosed), false) => Err(format!("line {}: {} is not closed", unclosed.line, unclosed.name)),
            (None, _) => Err("it has no element".into()),
        }
    }

    fn opened(start: &BytesStart<'_>, line: usize) -> Result<Self, String> {
        let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| format!("line {line}: {error}"))?;
            let value = attribute.unescape_value().map_err(|error| format!("line {line}: {error}"))?;
            attributes.push((String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value.into_owned()));
        }
        Ok(Self { name, line, attributes, ..Self::default() })
    }

    /// The text in it, as it is written; lines end as on Unix.
    pub(crate) fn text(&self) -> String {
        self.text.replace("\r\n", "\n").replace('\r', "\n")
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child, if there is any, without blanks around it.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The elements of a name in it, however deep.
    pub(crate) fn descendants<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.descendants(name));
        }
        found
    }
}

fn add(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(parent) = open.last_mut() {
        parent.text.push_str(text);
    }
}

/// How far the lines are counted.
#[derive(Default)]
struct Place {
    bytes: usize,
    ends: usize,
}

impl Place {
    fn line(&mut self, text: &str, position: u64) -> usize {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let passed = text.as_bytes().get(self.bytes..position).unwrap_or_default();
        self.ends += passed.iter().filter(|byte| **byte == b'\n').count();
        self.bytes = self.bytes.max(position);
        self.ends + 1
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn documents_become_trees() {
        let text = "<?xml version='1.1'?>\n<!-- a --><q:a xmlns:q='x' k='&lt;'>\n <b>1 &amp; 2</b><b/>\n <c><b> <![CDATA[<3>]]>\r\n</b></c></q:a>";
        let root = Element::parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.line, root.attribute("k")), ("a", 2, Some("<")));
        assert_eq!((root.value("b"), root.all("b").count(), root.value("c")), (Some("1 & 2"), 2, None));
        let inner = root.descendants("b");
        assert_eq!((inner.len(), inner[2].line, inner[2].text()), (3, 4, " <3>\n".into()));
    }

    #[test]
    fn wrong_documents_are_refused() {
        for text in ["", "<a>", "<a></b>", "<a>&nothing;</a>", "<a b></a>", "text", &"<a>".repeat(200)] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xx'>]><a>&x;</a>";
        assert!(Element::parse(bomb).unwrap_err().contains("line 1"));
    }
}
