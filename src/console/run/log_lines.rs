//! Lines of a log as markup.

use entity::id::RunId;
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::log_window::matches;
use crate::app::App;
use crate::console::format::ansi::{self, AnsiState};
use crate::console::when::stamp;
use crate::error::Result;
use crate::store;
use crate::store::log_chunk::{LogLine, LogStream};

/// The lines, in order. `search` marks those that contain it. `state` has the colors at the end of the line before them, and then those
/// at their own end.
pub(super) fn markup(lines: &[LogLine], search: Option<&str>, zone: Option<Zone>, state: &mut AnsiState) -> Markup {
    let search = search.map(str::to_lowercase);
    html! {
        @for line in lines {
            @let hit = search.as_ref().is_some_and(|text| matches(line, text));
            @let mark = if hit { " hit" } else { "" };
            div id={ "L" (line.position) } class={ "line " (name(line.stream)) (mark) } {
                a.at href={ "#L" (line.position) } aria-label={ "Line " (line.position) } { (line.position) }
                time datetime=(stamp(line.at)) { (clock(line, zone)) }
                span.stream { (name(line.stream)) }
                span.text dir="auto" { (ansi::line(&line.text, state)) }
            }
        }
    }
}

/// The colors after a line, as the lines before it have set them. Only a page of them is read.
pub(super) async fn colors_after(app: &App, run: RunId, position: i64, stream: Option<LogStream>) -> Result<AnsiState> {
    let mut state = AnsiState::default();
    if position > 0 {
        let before = store::log_chunk::list_before(&app.db, run, position.saturating_add(1)).await?;
        for line in before.iter().filter(|line| stream.is_none_or(|stream| line.stream == stream)) {
            let _shown = ansi::line(&line.text, &mut state);
        }
    }
    Ok(state)
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
