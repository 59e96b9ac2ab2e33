//! Shows changes: for people as signs and fields, for scripts as a row for each field.

use serde_json::{Value, json};

use super::change::{Change, Field};
use super::outcome::Told;
use crate::failure::Result;
use crate::screen::{Cell, Screen, Tone};

/// How much of a value is shown.
const MOST: usize = 60;

/// Shows what changes, or would.
pub(super) fn show(told: &[Told], unchanged: &str, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        let all: Vec<Value> =
            told.iter().map(|told| json!({"environment": told.name, "result": told.answer})).collect();
        return screen.raw(&json!({ "results": all }));
    }
    for told in told {
        changes(&told.name, &told.outcome.changes, unchanged, screen);
    }
    Ok(())
}

fn changes(name: &str, changes: &[Change], unchanged: &str, screen: &mut Screen) {
    if changes.is_empty() {
        screen.say(&format!("{name} {unchanged}"));
        return;
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for change in changes {
        let (word, tone) = match change.action.as_str() {
            "CREATE" => ("create", Tone::Good),
            "DELETE" => ("delete", Tone::Bad),
            _ => ("change", Tone::Busy),
        };
        let owner = change.job.as_ref().map(|job| format!("{job}/")).unwrap_or_default();
        let what = format!("{} {owner}{}", change.kind.to_lowercase().replace('_', " "), change.name);
        let row = |field: &str, before: &str, after: &str| -> Vec<Cell> {
            let cells = [name, what.as_str(), field, before, after];
            let mut cells: Vec<Cell> = cells.into_iter().map(Cell::from).collect();
            cells.insert(1, Cell::new(word, tone));
            cells
        };
        let fields: Vec<&Field> = change.fields.iter().filter(|field| field.field != "name").collect();
        if fields.is_empty() {
            rows.push(row("", "", ""));
        }
        for Field { field, before, after } in fields {
            rows.push(row(field, &short(before.as_deref()), &short(after.as_deref())));
        }
    }
    screen.table(&["environment", "action", "what", "field", "before", "after"], &rows);
}

/// A value on one line; what has its default has none.
fn short(value: Option<&str>) -> String {
    let line: String = value.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= MOST {
        return line;
    }
    line.chars().take(MOST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn values_stay_on_a_line() {
        assert_eq!(short(Some("a\nb")), "a b");
        assert_eq!(short(None), "");
        assert_eq!(short(Some(&"x".repeat(100))).chars().count(), 60);
    }
}
