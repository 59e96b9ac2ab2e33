//! The table of results.

/// A figure for SQLite and one for PostgreSQL; none was not measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pair(pub(crate) [Option<f64>; 2]);

impl Pair {
    pub(crate) fn same(value: f64) -> Self {
        Self([Some(value); 2])
    }

    /// One figure if both are the same.
    fn show(self, decimals: usize) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| "–".into(), |value| format!("{value:.decimals$}"));
        let [one, other] = self.0.map(number);
        if one == other { one } else { format!("{one}, {other}") }
    }
}

/// The middle of several rounds.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that this part of the values does not exceed.
pub(crate) fn percentile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part) as usize]
}

/// The rounds of one figure.
#[derive(Clone, Default)]
pub(crate) struct Rounds([Vec<f64>; 2]);

impl Rounds {
    pub(crate) fn add(&mut self, database: usize, value: f64) {
        self.0[database].push(value);
    }

    pub(crate) fn median(self) -> Pair {
        Pair(self.0.map(|values| (!values.is_empty()).then(|| median(values))))
    }
}

#[derive(Default)]
pub(crate) struct Table(Vec<String>);

impl Table {
    /// Adds a row, and prints it at once. `floor` names what the figure is compared with.
    pub(crate) fn row(&mut self, what: &str, unit: &str, figure: Pair, floor: Option<(&str, Pair)>) {
        let decimals = match figure.0.into_iter().flatten().fold(f64::INFINITY, f64::min) {
            small if small < 10.0 => 2,
            medium if medium < 1000.0 => 1,
            _ => 0,
        };
        let [sqlite, postgresql] = figure.0.map(|value| Pair([value; 2]).show(decimals));
        let (named, ratio) = match floor {
            None => ("–".to_owned(), "–".to_owned()),
            Some((name, floor)) => {
                let ratio = |one: usize| Some(figure.0[one]? / floor.0[one]?);
                (format!("{name}: {}", floor.show(decimals)), Pair([ratio(0), ratio(1)]).show(2))
            }
        };
        self.line(format!("| {what}, {unit} | {sqlite} | {postgresql} | {named} | {ratio} |"));
    }

    /// Adds a line below the rows.
    pub(crate) fn line(&mut self, text: String) {
        println!("{text}");
        self.0.push(text);
    }

    /// Prints all rows as one Markdown table, and below it what could not be measured.
    pub(crate) fn print(&self) {
        println!("\n| Measure | SQLite | PostgreSQL | Floor | Ratio |\n|---|---|---|---|---|");
        let (rows, notes): (Vec<_>, Vec<_>) = self.0.iter().partition(|line| line.starts_with('|'));
        rows.into_iter().chain(notes).for_each(|line| println!("{line}"));
    }
}
