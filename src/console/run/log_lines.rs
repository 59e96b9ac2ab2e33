//! Lines of a log as markup.

use maud::{Markup, html};

use super::log_window::matches;
use crate::console::format::ansi::{self, AnsiState};
use crate::console::when::stamp;
use crate::store::log_chunk::{LogLine, LogStream};
use crate::time_zone::Zone;

/// The lines, in order. `search` marks those that contain it.
pub(super) fn markup(lines: &[LogLine], search: Option<&str>, zone: Option<Zone>) -> Markup {
    let search = search.map(str::to_lowercase);
    let mut state = AnsiState::default();
    html! {
        @for line in lines {
            @let hit = search.as_ref().is_some_and(|text| matches(line, text));
            @let mark = if hit { " hit" } else { "" };
            div id={ "L" (line.position) } class={ "line " (name(line.stream)) (mark) } {
                a.at href={ "#L" (line.position) } aria-label={ "Line " (line.position) } { (line.position) }
                time datetime=(stamp(line.at)) { (clock(line, zone)) }
                span.stream { (name(line.stream)) }
                span.text dir="auto" { (ansi::line(&line.text, &mut state)) }
            }
        }
    }
}

fn clock(line: &LogLine, zone: Option<Zone>) -> String {
    const FORMAT: &str = "%H:%M:%S%.3f";
    match zone {
        Some(zone) => line.at.with_timezone(&zone).format(FORMAT).to_string(),
        None => line.at.format(FORMAT).to_string(),
    }
}

/// What a stream is called.
pub(super) fn name(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
        LogStream::System => "system",
    }
}
