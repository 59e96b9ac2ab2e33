//! Pure: why a text is refused.

use std::collections::HashMap;
use std::fmt;

/// Why a text is refused: the field, and what is allowed in it. The field is empty if the text as a whole is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: String,
    pub message: String,
}

impl Refusal {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// How many fields with the same fault are named.
const NAMED: usize = 3;

/// All refusals as one text. What is wrong with several fields is said once, with the first of them and how many there are.
#[must_use]
pub fn told(all: &[Refusal]) -> String {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for Refusal { field, message } in all {
        let (field, message) = (field.as_str(), message.as_str());
        let place = *places.entry(message).or_insert(causes.len());
        match causes.get_mut(place) {
            Some((_, fields)) => fields.push(field),
            None => causes.push((message, vec![field])),
        }
    }
    let text = |(message, fields): (&str, Vec<&str>)| {
        let named = fields.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let field = match fields.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        };
        Refusal::new(field, message).to_string()
    };
    causes.into_iter().map(text).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.field, self.message) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, told};

    #[test]
    fn a_fault_of_many_fields_is_told_once() {
        let all = |fields: &[&str]| -> Vec<Refusal> {
            let one = |field: &&str| Refusal::new(*field, if field.starts_with('x') { "is odd" } else { "is bad" });
            fields.iter().map(one).collect()
        };
        assert_eq!(told(&all(&["a"])), "a: is bad");
        assert_eq!(told(&all(&["a", "x1", "b", "c"])), "a, b, c: is bad; x1: is odd");
        assert_eq!(told(&all(&["x1", "a", "b", "c", "d", "x2"])), "x1, x2: is odd; a, b, c and 1 more: is bad");
        let many: Vec<Refusal> = (0..1000).map(|number| Refusal::new(format!("jobs.{number}"), "is bad")).collect();
        assert_eq!(told(&many), "jobs.0, jobs.1, jobs.2 and 997 more: is bad");
    }
}
