//! Changes of resources, as tables.

use serde::Deserialize;

use crate::screen::{Cell, Screen, Tone};

/// A resource that was changed.
#[derive(Deserialize)]
pub(super) struct ChangedResource {
    address: String,
    action: String,
    note: Option<String>,
    attributes: Vec<ChangedValue>,
    #[serde(default)]
    more: bool,
}

/// An output that was changed.
#[derive(Deserialize)]
pub(super) struct ChangedOutput {
    name: String,
    action: String,
    attributes: Vec<ChangedValue>,
}

#[derive(Deserialize)]
struct ChangedValue {
    path: String,
    before: ValueSide,
    after: ValueSide,
}

#[derive(Deserialize)]
struct ValueSide {
    kind: String,
    value: Option<String>,
}

impl ValueSide {
    fn text(&self) -> String {
        match (self.kind.as_str(), &self.value) {
            ("known", Some(value)) => value.replace('\n', " "),
            ("absent", _) => "-".to_owned(),
            (kind, _) => format!("({kind})"),
        }
    }
}

impl From<ChangedOutput> for ChangedResource {
    fn from(output: ChangedOutput) -> Self {
        let ChangedOutput { name, action, attributes } = output;
        Self { address: format!("output.{name}"), action, note: None, attributes, more: false }
    }
}

fn tone(action: &str) -> Tone {
    match action {
        "created" => Tone::Good,
        "deleted" | "replaced" => Tone::Bad,
        _ => Tone::Busy,
    }
}

/// Prints changed resources, a line for each value.
pub(super) fn table(resources: &[ChangedResource], screen: &mut Screen) {
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for one in resources {
        let head = || vec![one.address.as_str().into(), Cell::new(one.action.clone(), tone(&one.action))];
        let rest = |texts: [String; 3]| texts.map(Cell::from);
        if one.attributes.is_empty() {
            let note = one.note.clone().unwrap_or_default();
            cells.push(head().into_iter().chain(rest([note, String::new(), String::new()])).collect());
        }
        for value in &one.attributes {
            let row = rest([value.path.clone(), value.before.text(), value.after.text()]);
            cells.push(head().into_iter().chain(row).collect());
        }
        if one.more {
            cells.push(head().into_iter().chain(rest(["and more".into(), String::new(), String::new()])).collect());
        }
    }
    screen.table(&["resource", "action", "value", "before", "after"], &cells);
}
