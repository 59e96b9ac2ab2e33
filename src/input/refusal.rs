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

/// Up to this many fields with the same fault are told one by one.
const FEW: usize = 10;
/// How many of more fields are named.
const NAMED: usize = 3;

/// All refusals as one text. What is wrong with many fields is said once, with the first of them and how many there are.
#[must_use]
pub fn told(all: &[Refusal]) -> String {
    let mut fields_of: HashMap<&str, Vec<&str>> = HashMap::new();
    for one in all {
        fields_of.entry(one.message.as_str()).or_default().push(one.field.as_str());
    }
    let mut texts: Vec<String> = Vec::new();
    for one in all {
        match fields_of.get(one.message.as_str()) {
            Some(fields) if fields.len() > FEW => {
                if fields.first() == Some(&one.field.as_str()) {
                    let named = fields.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
                    let field = format!("{named} and {} more", fields.len() - NAMED);
                    texts.push(Refusal::new(field, one.message.as_str()).to_string());
                }
            }
            _ => texts.push(one.to_string()),
        }
    }
    texts.join("; ")
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
        assert_eq!(told(&all(&["a", "x1", "b"])), "a: is bad; x1: is odd; b: is bad");
        let eleven = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "x1", "j", "k"];
        assert_eq!(told(&all(&eleven)), "a, b, c and 8 more: is bad; x1: is odd");
        let many: Vec<Refusal> = (0..1000).map(|number| Refusal::new(format!("jobs.{number}"), "is bad")).collect();
        assert_eq!(told(&many), "jobs.0, jobs.1, jobs.2 and 997 more: is bad");
    }
}
