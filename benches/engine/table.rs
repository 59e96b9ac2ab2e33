//! The table of results.

#[derive(Default)]
pub(crate) struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a row, and prints it at once.
    pub(crate) fn row(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        println!("{what}: {value}");
        self.0.push((what, value));
    }

    pub(crate) fn print(&self) {
        let width = self.0.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        println!();
        for (what, value) in &self.0 {
            println!("| {what:width$} | {value:>30} |");
        }
    }
}
