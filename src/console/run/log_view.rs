//! The log of a run in its page: one page of lines with links, a search, and filters that are part of the address.

use entity::run::Model;
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::log_lines;
use super::log_window::{Found, LogQuery, Window, search, window};
use crate::app::App;
use crate::console::format::byte_size;
use crate::console::paths;
use crate::error::Result;

/// How many lines before a match are shown.
const CONTEXT: i64 = 20;

/// The section of the page.
pub(super) async fn log(app: &App, run: &Model, query: &LogQuery, zone: Option<Zone>) -> Result<Markup> {
    let Window { lines, has_earlier, has_later } = window(app, run.id, query).await?;
    let found = match query.search() {
        Some(text) => Some(search(app, run.id, text, query.stream()).await?),
        None => None,
    };
    let first = lines.first().map_or(1, |line| line.position);
    let last = lines.last().map_or(0, |line| line.position);
    let mut colors = log_lines::colors_after(app, run.id, first - 1, query.stream()).await?;
    let follows = query.is_tail() && !run.state.is_final();
    let live = follows.then(|| live_path(run, query, last.max(run.total_lines)));
    let mut class = String::from("log");
    if query.wraps() {
        class.push_str(" wrap");
    }
    if query.has_times() {
        class.push_str(" times");
    }
    let earlier = query.path(run.id, &[("from", None), ("before", Some(first.to_string()))]);
    Ok(html! {
        section aria-labelledby="log-title" {
            div.row.between {
                h2 #log-title { "Log" }
                (size(run, zone))
            }
            (tools(run, query, follows))
            @if let (Some(found), Some(text)) = (&found, query.search()) { (matches(run, query, found, text)) }
            nav.pages aria-label="Earlier lines" {
                a #earlier href=(earlier) data-base=(query.path(run.id, &[("from", None), ("before", None)])) hidden[!has_earlier] { "Earlier lines" }
            }
            div #log class=(class) tabindex="0" role="region" aria-label="Lines of the log" data-log=[live]
                data-path=(query.path(run.id, &[("from", None), ("before", None)])) {
                @if lines.is_empty() { p.soft #no-lines { (nothing(run, query)) } }
                (log_lines::markup(&lines, query.search(), zone, &mut colors))
            }
            nav.pages aria-label="Later lines" {
                @if has_later {
                    a href=(query.path(run.id, &[("before", None), ("from", Some((last + 1).to_string()))])) { "Later lines" }
                    a href=(query.path(run.id, &[("before", None), ("from", None)])) { "Newest lines" }
                }
            }
        }
    })
}

/// How long the log is so far.
pub(super) fn size(run: &Model, zone: Option<Zone>) -> Markup {
    html! {
        p #log-size.soft {
            (run.total_lines) @if run.total_lines == 1 { " line, " } @else { " lines, " }
            (byte_size(u64::try_from(run.log_bytes).unwrap_or(0)))
            @if run.log_cut { "; lines in the middle were left out, because the log is too large" }
            @if let Some(zone) = zone { "; times in " (zone.name()) }
        }
    }
}

/// What stands in the place of lines.
fn nothing(run: &Model, query: &LogQuery) -> &'static str {
    match (query.is_tail() && query.stream().is_none(), run.state.is_final()) {
        (false, _) => "There are no such lines here.",
        (true, true) => "The run wrote nothing.",
        (true, false) => "The run has written nothing yet.",
    }
}

fn live_path(run: &Model, query: &LogQuery, after: i64) -> String {
    let path = format!("{}/log/live?", paths::run(run.id));
    let start = path.len();
    let mut path = form_urlencoded::Serializer::for_suffix(path, start);
    path.append_pair("after", &after.to_string());
    if let Some(stream) = query.stream() {
        path.append_pair("stream", log_lines::name(stream));
    }
    path.finish()
}

/// The search, the filter of streams, and how lines are shown.
fn tools(run: &Model, query: &LogQuery, follows: bool) -> Markup {
    let toggle = |name: &str, is_on: bool| query.path(run.id, &[(name, is_on.then(|| "0".to_owned()))]);
    let stream = query.stream.as_deref().unwrap_or_default();
    html! {
        div.row.log-tools {
            form.row method="get" action=(paths::run(run.id)) role="search" {
                label for="q" { "Search" }
                input #q type="search" name="q" value=[query.q.as_deref()];
                label for="stream" { "Stream" }
                select #stream name="stream" {
                    @for (value, label) in [("", "all"), ("stdout", "stdout"), ("stderr", "stderr"), ("system", "system")] {
                        option value=(value) selected[value == stream] { (label) }
                    }
                }
                @for (name, value) in [("wrap", &query.wrap), ("times", &query.times)] {
                    @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                }
                button.quiet type="submit" { "Show" }
            }
            a href=(toggle("wrap", query.wraps())) { @if query.wraps() { "Long lines in one line" } @else { "Wrap long lines" } }
            a href=(toggle("times", query.has_times())) { @if query.has_times() { "Hide times" } @else { "Show times" } }
            a href={ (paths::run(run.id)) "/log?download=1" } download={ "run-" (run.number) ".log" } { "Download" }
            a href={ (paths::run(run.id)) "/log" } { "Plain text" }
            @if follows { label.check { input #follow type="checkbox" checked; "Follow" } }
        }
    }
}

/// How many lines a search has found, with links to the first ones.
fn matches(run: &Model, query: &LogQuery, found: &Found, text: &str) -> Markup {
    let link = |line: i64| {
        let from = (line - CONTEXT).max(1).to_string();
        format!("{}#L{line}", query.path(run.id, &[("before", None), ("from", Some(from))]))
    };
    html! {
        p role="status" {
            (found.count) @if found.count == 1 { " line contains " } @else { " lines contain " }
            q { bdi { (text) } }
            @if found.is_partial { ", in the part of the log that was searched" }
            ". " a href=(query.path(run.id, &[("q", None)])) { "End the search" }
        }
        @if !found.first.is_empty() {
            details.card open[found.count <= 10] {
                summary { "Matches" }
                ol.matches {
                    @for (line, text) in &found.first { li { a href=(link(*line)) { "Line " (line) } " " code { bdi { (text) } } } }
                }
                @if found.count > found.first.len() { p.soft { "and " (found.count - found.first.len()) " more" } }
            }
        }
    }
}
