//! Collects the faults of an input, so that one response names all of them.

use crate::error::{Error, Result};
use crate::input::Refusal;

/// The faults found so far.
#[derive(Default)]
pub struct Faults {
    found: Vec<Refusal>,
    /// The first error that is no fault of the input.
    other: Option<Error>,
}

impl Faults {
    /// The value, or a default in place of a faulty one.
    pub fn note<T: Default>(&mut self, checked: Result<T>) -> T {
        self.note_or(checked, T::default())
    }

    /// The value, or another one in place of a faulty one.
    pub fn note_or<T>(&mut self, checked: Result<T>, instead: T) -> T {
        match checked {
            Ok(value) => value,
            Err(error) => {
                self.add(error);
                instead
            }
        }
    }

    /// Adds a fault.
    pub fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.found.push(Refusal { field: field.into(), message: message.into() });
    }

    fn add(&mut self, error: Error) {
        match error {
            Error::Invalid { field, message } => self.found.push(Refusal { field, message }),
            Error::Faults(faults) => self.found.extend(faults),
            other => self.other = self.other.take().or(Some(other)),
        }
    }

    /// The same with all fields below another one.
    #[must_use]
    pub fn below(self, at: &str) -> Self {
        let below = |Refusal { field, message }| Refusal { field: format!("{at}.{field}"), message };
        Self { found: self.found.into_iter().map(below).collect(), ..self }
    }

    /// The error, if there were any.
    ///
    /// # Errors
    /// All faults at once, or the first error that is no fault of the input.
    pub fn result(self) -> Result<()> {
        match self.other {
            Some(other) => Err(other),
            None if self.found.is_empty() => Ok(()),
            None => Err(Error::all(self.found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;
    use crate::error::Error;

    #[test]
    fn all_faults_are_reported_and_other_errors_first() {
        let mut faults = Faults::default();
        assert_eq!(faults.note(Ok(1)), 1);
        assert_eq!(faults.note::<i32>(Err(Error::invalid("a", "is bad"))), 0);
        assert_eq!(faults.note_or(Err(Error::invalid("b", "is worse")), 7), 7);
        assert_eq!(faults.result().unwrap_err().to_string(), "a: is bad; b: is worse");
        assert!(Faults::default().result().is_ok());
        let mut faults = Faults::default();
        faults.refuse("a", "is bad");
        assert_eq!(faults.below("b").result().unwrap_err().to_string(), "b.a: is bad");
        let mut faults = Faults::default();
        faults.note::<i32>(Err(Error::invalid("a", "is bad")));
        faults.note::<i32>(Err(Error::NotFound("job")));
        assert_eq!(faults.result().unwrap_err().to_string(), "job not found");
    }
}
