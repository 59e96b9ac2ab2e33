//! How long the parts of a task take: a table at its end, also when a part fails.

use std::time::{Duration, Instant};

use crate::command::Result;

/// The parts so far; prints its table when it is dropped, so that an early return prints it too.
pub(crate) struct Timing {
    task: &'static str,
    parts: Vec<Part>,
}

struct Part {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Timing {
    pub(crate) fn of(task: &'static str) -> Self {
        Self { task, parts: Vec::new() }
    }

    /// Runs one part, and notes how long it took and whether it failed.
    pub(crate) fn part<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let begin = Instant::now();
        let done = work();
        self.parts.push(Part { name, took: begin.elapsed(), failed: done.is_err() });
        done
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            eprint!("{}", table(self.task, &self.parts));
        }
    }
}

fn table(task: &str, parts: &[Part]) -> String {
    let mut text = format!("== time of the parts of {task}\n");
    for part in parts {
        let failed = if part.failed { "  FAILED" } else { "" };
        text += &format!("{:>8}  {}{failed}\n", clock(part.took), part.name);
    }
    text += &format!("{:>8}  together\n", clock(parts.iter().map(|part| part.took).sum()));
    text
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    // To the nearest second: a part of 59.9 s took a minute.
    let seconds = (time.as_millis() + 500) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_every_part_and_the_sum() {
        let part = |name, seconds, failed| Part { name, took: Duration::from_secs(seconds), failed };
        let text = table("a task", &[part("first", 5, false), part("second", 121, true)]);
        let lines: Vec<&str> = text.lines().collect();
        let expected =
            ["== time of the parts of a task", "    0:05  first", "    2:01  second  FAILED", "    2:06  together"];
        assert_eq!(lines, expected);
        assert_eq!(clock(Duration::from_millis(59_900)), "1:00");
    }
}
