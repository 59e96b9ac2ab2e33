//! Creates, changes and deletes calendars.

use entity::calendar::{Entries, Model, Span, WeeklySpan};
use entity::id::CalendarId;
use maud::html;
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::Field;
use crate::engine::settings::calendar_settings::{self, WantedCalendar};
use crate::error::{Error, Result};

changes!("calendars");

const FIELDS: &[&str] = &["name", "description", "timezone", "days", "spans", "weekly", "ics_url", "ics"];

/// What is typed into the form: a line for each entry.
#[derive(Default)]
struct Typed {
    name: String,
    description: String,
    timezone: String,
    days: String,
    spans: String,
    weekly: String,
    ics_url: String,
    ics: String,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            timezone: text("timezone"),
            days: text("days"),
            spans: text("spans"),
            weekly: text("weekly"),
            ics_url: text("ics_url"),
            ics: text("ics"),
        }
    }

    fn of_row(row: Option<&Model>) -> Self {
        let Some(row) = row else { return Self { timezone: "Etc/UTC".into(), ..Self::default() } };
        let spans = row.entries.spans.iter().map(|span| format!("{} to {}", span.from, span.to));
        let weekly = row.entries.weekly.iter().map(|week| format!("{} {} to {}", week.weekday, week.from, week.to));
        Self {
            name: row.name.clone(),
            description: row.description.clone(),
            timezone: row.timezone.clone(),
            days: row.entries.days.join("\n"),
            spans: spans.collect::<Vec<_>>().join("\n"),
            weekly: weekly.collect::<Vec<_>>().join("\n"),
            ics_url: row.ics_url.clone().unwrap_or_default(),
            ics: row.ics.clone().unwrap_or_default(),
        }
    }

    fn wanted(&self) -> Result<WantedCalendar> {
        let span = |line: &str| {
            let (from, to) = line.split_once(" to ")?;
            Some(Span { from: from.trim().to_owned(), to: to.trim().to_owned() })
        };
        let week = |line: &str| {
            let (weekday, times) = line.split_once(' ')?;
            let Span { from, to } = span(times)?;
            Some(WeeklySpan { weekday: weekday.to_uppercase(), from, to })
        };
        Ok(WantedCalendar {
            name: self.name.clone(),
            description: Some(self.description.clone()),
            timezone: Some(self.timezone.trim().to_owned()),
            entries: Entries {
                days: lines(&self.days).map(str::to_owned).collect(),
                spans: each("spans", &self.spans, "2026-12-24T18:00 to 2026-12-25T00:00", span)?,
                weekly: each("weekly", &self.weekly, "SUNDAY 00:00 to 24:00", week)?,
            },
            ics: Some(self.ics.clone()),
            ics_url: Some(self.ics_url.trim().to_owned()),
        })
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Reads an entry from each line.
fn each<T>(field: &str, text: &str, example: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    let wrong = |line: &str| Error::invalid(field, format!("{line:?} is not written like {example:?}"));
    lines(text).map(|line| read(line).ok_or_else(|| wrong(line))).collect()
}

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, typed) = (desk.id, sent.map_or_else(|| Typed::of_row(row), Typed::of_form));
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().hint("Jobs name it in their advanced settings").show(problems))
        (Field::text("description", "Description", &typed.description).show(problems))
        (Field::text("timezone", "Time zone", &typed.timezone).required().show(problems))
        (Field::text("days", "Days", &typed.days).hint("One date per line, such as 2026-12-25").area(problems))
        (Field::text("spans", "Spans of time", &typed.spans)
            .hint("One per line, such as 2026-12-24T18:00 to 2026-12-25T00:00").area(problems))
        (Field::text("weekly", "Every week", &typed.weekly).hint("One per line, such as SUNDAY 00:00 to 24:00").area(problems))
        (Field::text("ics_url", "Address of an iCalendar file", &typed.ics_url)
            .hint("Read every six hours; empty for none").show(problems))
        (Field::text("ics", "Or the contents of an iCalendar file", &typed.ics).hint("From BEGIN:VCALENDAR to END:VCALENDAR").area(problems))
    };
    let own = row.map(|row| row.id);
    let api = format!("/organization/{id}/calendar");
    Ok(SettingForm {
        tab: Tab::Calendars,
        title: row.map_or_else(|| "New calendar".into(), |row| format!("Change the calendar {}", row.name)),
        api: own.map_or_else(|| api.clone(), |own| format!("{api}/{own}")),
        fields,
        names: FIELDS,
        delete: own.map(|own| (format!("{}/calendar/{own}/delete", settings(id)), "Delete this calendar?".to_owned())),
        below: html! {},
    })
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageSettings).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::calendar(&desk.app.db, &desk.viewer.caller, Action::ManageSettings, desk.id, CalendarId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let wanted = Typed::of_form(sent).wanted()?;
    let by = desk.viewer.requester();
    match row {
        Some(row) => calendar_settings::edit(desk.app, &by, row, wanted).await.map(drop),
        None => calendar_settings::create(desk.app, &by, desk.id, wanted).await.map(drop),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    calendar_settings::delete(desk.app, &desk.viewer.requester(), row).await
}
