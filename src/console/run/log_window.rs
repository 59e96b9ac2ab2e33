//! Which part of a log a page shows, and its address.

use entity::id::RunId;
use serde::Deserialize;

use crate::app::App;
use crate::console::format::ansi;
use crate::console::paths;
use crate::error::Result;
use crate::store;
use crate::store::log_chunk::{LogLine, LogStream};

/// How many lines a page has.
pub(super) const LINES: usize = 1000;

/// How many lines one page reads at most to find those of a stream, or of a search.
const READ: usize = 2_000_000;

/// How many matches of a search have a link.
const LINKS: usize = 200;

/// The query of a log.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct LogQuery {
    /// The first line of the page.
    pub(super) from: Option<i64>,
    /// The line behind the last one of the page.
    pub(super) before: Option<i64>,
    pub(super) q: Option<String>,
    pub(super) stream: Option<String>,
    pub(super) wrap: Option<String>,
    pub(super) times: Option<String>,
}

impl LogQuery {
    /// The text to search for.
    pub(super) fn search(&self) -> Option<&str> {
        self.q.as_deref().filter(|text| !text.is_empty())
    }

    /// The only stream to show.
    pub(super) fn stream(&self) -> Option<LogStream> {
        self.stream.as_deref().and_then(stream_named)
    }

    pub(super) fn wraps(&self) -> bool {
        self.wrap.as_deref() != Some("0")
    }

    pub(super) fn has_times(&self) -> bool {
        self.times.as_deref() != Some("0")
    }

    /// Whether the page ends with the newest line.
    pub(super) fn is_tail(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    /// The address of the page of a run with this query, and these values instead of its own. None removes one.
    pub(super) fn path(&self, run: RunId, changes: &[(&str, Option<String>)]) -> String {
        let own = [
            ("from", self.from.map(|line| line.to_string())),
            ("before", self.before.map(|line| line.to_string())),
            ("q", self.q.clone().filter(|text| !text.is_empty())),
            ("stream", self.stream.clone().filter(|name| !name.is_empty())),
            ("wrap", self.wrap.clone()),
            ("times", self.times.clone()),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in own {
            let changed = changes.iter().find(|(other, _)| *other == name);
            if let Some(value) = changed.map_or(value, |(_, value)| value.clone()) {
                query.append_pair(name, &value);
            }
        }
        let query = query.finish();
        let sign = if query.is_empty() { "" } else { "?" };
        format!("{}{sign}{query}", paths::run(run))
    }
}

/// A stream by the name that addresses have.
pub(super) fn stream_named(name: &str) -> Option<LogStream> {
    match name {
        "stdout" => Some(LogStream::Stdout),
        "stderr" => Some(LogStream::Stderr),
        "system" => Some(LogStream::System),
        _ => None,
    }
}

/// The lines of a page.
pub(super) struct Window {
    pub(super) lines: Vec<LogLine>,
    pub(super) has_earlier: bool,
    pub(super) has_later: bool,
}

/// Reads the lines of a page.
pub(super) async fn window(app: &App, run: RunId, query: &LogQuery) -> Result<Window> {
    let stream = query.stream();
    let wanted = |line: &LogLine| stream.is_none_or(|stream| line.stream == stream);
    if let Some(from) = query.from {
        let (mut lines, mut position, mut read) = (Vec::new(), from.saturating_sub(1).max(0), 0);
        while lines.len() <= LINES && read < READ {
            let page = store::log_chunk::list_by_run(&app.db, run, position).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            read += page.len();
            lines.extend(page.into_iter().filter(wanted));
        }
        let has_later = lines.len() > LINES || read >= READ;
        lines.truncate(LINES);
        return Ok(Window { lines, has_earlier: from > 1, has_later });
    }
    let (mut backwards, mut position, mut read) = (Vec::new(), query.before.unwrap_or(i64::MAX), 0);
    while backwards.len() <= LINES && read < READ {
        let page = store::log_chunk::list_before(&app.db, run, position).await?;
        let Some(first) = page.first() else { break };
        position = first.position;
        read += page.len();
        backwards.extend(page.into_iter().rev().filter(wanted));
    }
    let has_earlier = backwards.len() > LINES || read >= READ;
    backwards.truncate(LINES);
    backwards.reverse();
    Ok(Window { lines: backwards, has_earlier, has_later: query.before.is_some() })
}

/// What a search has found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) count: usize,
    /// The first ones.
    pub(super) first: Vec<(i64, String)>,
    /// Whether the log is longer than what was searched.
    pub(super) is_partial: bool,
}

/// Searches the whole log, whatever the case of letters.
pub(super) async fn search(app: &App, run: RunId, text: &str, stream: Option<LogStream>) -> Result<Found> {
    let (mut found, mut position, mut read) = (Found::default(), 0, 0);
    let text = text.to_lowercase();
    loop {
        let page = store::log_chunk::list_by_run(&app.db, run, position).await?;
        let Some(last) = page.last() else { return Ok(found) };
        position = last.position;
        read += page.len();
        for line in page.iter().filter(|line| stream.is_none_or(|stream| line.stream == stream)) {
            if matches(line, &text) {
                found.count += 1;
                if found.first.len() < LINKS {
                    found.first.push((line.position, ansi::plain(&line.text).chars().take(120).collect()));
                }
            }
        }
        if read >= READ {
            found.is_partial = true;
            return Ok(found);
        }
        // A long log is not searched without a pause for others.
        tokio::task::yield_now().await;
    }
}

/// Whether a line contains a text in lower case.
pub(super) fn matches(line: &LogLine, text: &str) -> bool {
    if line.text.contains(['\u{1b}', '\u{9b}']) {
        return ansi::plain(&line.text).to_lowercase().contains(text);
    }
    line.text.to_lowercase().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_the_rest_of_the_view() {
        let run = RunId(uuid::Uuid::nil());
        let query = LogQuery { q: Some("a&b <c>".into()), times: Some("0".into()), ..LogQuery::default() };
        let path = query.path(run, &[("from", Some("7".into()))]);
        assert_eq!(path, format!("{}?from=7&q=a%26b+%3Cc%3E&times=0", paths::run(run)));
        assert_eq!(query.path(run, &[("q", None), ("times", None)]), paths::run(run));
    }
}
