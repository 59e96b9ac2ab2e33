//! The texts of pings as the log of a run.

use chrono::{DateTime, Utc};
use entity::{log_chunk, run};

use crate::store::log_chunk::{ChunkBuilder, LogStream};

/// The largest log that pings give a run, in bytes: about ten texts of the largest size.
const MOST_BYTES: i64 = 1024 * 1024;

/// The run with more lines, and the rows to store for them.
pub(super) fn logged(mut run: run::Model, lines: &[String], now: DateTime<Utc>) -> (run::Model, Vec<log_chunk::Model>) {
    let mut chunks = ChunkBuilder::after(run.id, run.total_lines);
    for line in lines {
        if run.log_bytes < MOST_BYTES {
            run.log_bytes += chunks.push(now, LogStream::Stdout, line);
            run.attempt_lines += 1;
        } else if !run.log_cut {
            let text = format!("log truncated: pings give a run at most {MOST_BYTES} bytes");
            run.log_bytes += chunks.push(now, LogStream::System, &text);
            run.log_cut = true;
        }
    }
    run.total_lines = chunks.position();
    run.updated_at = now;
    (run, chunks.finish())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::id::JobId;
    use entity::run;
    use entity::run_spec::RunSpec;

    use super::{MOST_BYTES, logged};

    #[test]
    fn the_log_of_a_run_is_bounded() {
        let now = DateTime::UNIX_EPOCH;
        let mut run = run::Model::queued(JobId::create(), run::Event::Cron, RunSpec::default(), now);
        let lines = vec!["x".repeat(1000); 100];
        for _ in 0..30 {
            let (longer, chunks) = logged(run.clone(), &lines, now);
            let stored: i64 = chunks.iter().map(|chunk| i64::from(chunk.lines)).sum();
            assert_eq!(longer.total_lines - run.total_lines, stored);
            run = longer;
        }
        assert!(run.log_cut && run.log_bytes < MOST_BYTES + 2000, "{}", run.log_bytes);
        assert_eq!(logged(run.clone(), &lines, now).0.total_lines, run.total_lines);
    }
}
