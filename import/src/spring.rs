//! Pure: methods that Spring schedules: `@Scheduled` in source code in Java or Kotlin.

use super::imported::{Imported, ImportedJob, Source};
use super::source_tokens::{Token, tokens};
use super::translation::Given;

type Placed = (Token, usize);

/// No annotation has more tokens.
const LONGEST: usize = 1000;

/// Other frameworks have an annotation of the same name.
const OTHERS: [(&str, &str); 2] = [("io.quarkus.scheduler", "Quarkus"), ("io.micronaut.scheduling", "Micronaut")];

/// Reads a source file.
#[must_use]
pub fn read_spring(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    if let Some((_, framework)) = OTHERS.iter().find(|(package, _)| source.text.contains(package)) {
        found.refuse(1, source.name, format!("its annotations are those of {framework}, not of Spring"));
        return found;
    }
    let all = tokens(source.text);
    let mut class = "";
    let mut rest = all.as_slice();
    while let Some(((token, line), after)) = rest.split_first() {
        let opens = after.first().is_some_and(|(next, _)| next.is_mark('('));
        if ["class", "interface", "object"].into_iter().any(|word| token.is_word(word))
            && let Some((Token::Word(name), _)) = after.first()
        {
            class = name;
        }
        // The annotation inside of @Schedules has no @ in Kotlin; a constructor has `new` before it, or a dot.
        let before = all.get(..all.len() - rest.len()).and_then(<[Placed]>::last).map(|(token, _)| token);
        let is_annotation =
            before.is_some_and(|token| ['@', '.', '(', ','].into_iter().any(|mark| token.is_mark(mark)));
        if token.is_word("Scheduled") && opens && is_annotation {
            let (arguments, behind) = enclosed(after);
            let name =
                method(behind).map_or_else(|| format!("{class}-line-{line}"), |method| format!("{class}.{method}"));
            found.push(*line, &name, job(arguments, &name, source.zone));
        }
        rest = after;
    }
    if found == Imported::default() {
        found.refuse(1, source.name, "it has no @Scheduled(...)");
    }
    found
}

/// What is between the parentheses at the beginning, and what follows them.
fn enclosed(all: &[Placed]) -> (&[Placed], &[Placed]) {
    let mut depth = 0_usize;
    for (place, (token, _)) in all.iter().enumerate().take(LONGEST) {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return (all.get(1..place).unwrap_or_default(), all.get(place + 1..).unwrap_or_default());
        }
    }
    (all.get(1..all.len().min(LONGEST)).unwrap_or_default(), &[])
}

/// What follows the annotation that these tokens are in, such as @Schedules; all of them if they are in none.
fn outside(all: &[Placed]) -> &[Placed] {
    let mut depth = 0_usize;
    for (place, (token, _)) in all.iter().enumerate().take(LONGEST) {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            let Some(outer) = depth.checked_sub(1) else { return all.get(place + 1..).unwrap_or_default() };
            depth = outer;
        }
    }
    all
}

/// The name of the method that follows, behind other annotations.
fn method(rest: &[Placed]) -> Option<&str> {
    let mut rest = outside(rest);
    while let Some(((token, _), after)) = rest.split_first() {
        let opens = after.first().is_some_and(|(next, _)| next.is_mark('('));
        match token {
            Token::Mark('@') => {
                // Its name, with its package.
                let name =
                    after.iter().take_while(|(token, _)| matches!(token, Token::Word(_) | Token::Mark('.'))).count();
                rest = after.get(name..).unwrap_or_default();
                if rest.first().is_some_and(|(token, _)| token.is_mark('(')) {
                    rest = enclosed(rest).1;
                }
                continue;
            }
            Token::Word(name) if opens => return Some(name),
            Token::Mark('{' | '}' | ';') => return None,
            _ => {}
        }
        rest = after;
    }
    None
}

fn job(arguments: &[Placed], name: &str, zone: &str) -> Result<ImportedJob, String> {
    for key in ["fixedRate", "fixedRateString", "fixedDelay", "fixedDelayString"] {
        if value(arguments, key).is_some() {
            return Err(format!("spring {key}: it counts from the start of the program, not by the clock"));
        }
    }
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    let written = value(arguments, "cron").ok_or("it has no cron")?;
    let cron = resolved(&mut job, "cron", written)?;
    if cron == "-" {
        return Err("spring cron \"-\": it is switched off".into());
    }
    let zone = match value(arguments, "zone") {
        None => zone.to_owned(),
        Some(written) => resolved(&mut job, "zone", written)?,
    };
    job.translate(&Given { dialect: "spring", expression: &cron, zone: &zone, ..Given::default() })?;
    // The next time is computed when a run has ended.
    job.set_concurrency("Forbid");
    job.lose_missed_runs();
    Ok(job)
}

/// The tokens of an argument.
fn value<'a>(arguments: &'a [Placed], key: &str) -> Option<&'a [Placed]> {
    let mut rest = arguments;
    while !rest.is_empty() {
        let mut depth = 0_usize;
        let ends = |(token, _): &Placed| {
            match token {
                Token::Mark('(' | '{' | '[') => depth += 1,
                Token::Mark(')' | '}' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.is_mark(',')
        };
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let (one, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if let [(name, _), (sign, _), value @ ..] = one
            && name.is_word(key)
            && sign.is_mark('=')
        {
            return Some(value);
        }
        rest = after.get(1..).unwrap_or_default();
    }
    None
}

/// The text of an argument, in which `${property:value}` is replaced by the value that it names.
fn resolved(job: &mut ImportedJob, key: &str, written: &[Placed]) -> Result<String, String> {
    let mut text = String::new();
    for (place, (token, _)) in written.iter().enumerate() {
        match token {
            Token::Text(part) => text.push_str(part),
            Token::Mark('+') if place > 0 => {}
            _ => return Err(format!("spring {key}: it is a constant, whose value is elsewhere")),
        }
    }
    let text = text.trim().to_owned();
    let property = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match property.map(|property| property.split_once(':').ok_or(property)) {
        Some(Ok((name, default))) if !default.contains(['$', '#']) && !name.contains('$') => {
            job.note(format!(
                "its {key} is the default of the property {name}, which the application's settings can change"
            ));
            Ok(default.trim().to_owned())
        }
        None if !text.contains("${") && !text.contains("#{") => Ok(text),
        _ => Err(format!("spring {text:?}: the value of a property is elsewhere")),
    }
}

#[cfg(test)]
#[path = "spring_tests.rs"]
mod tests;
