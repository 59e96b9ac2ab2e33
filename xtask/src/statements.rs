//! `cargo xtask record-statements`: the SQL statements of this version, as the tests make the server send them, for each
//! database, in a folder of tests/it/upgrade. Later versions are held against them.

use std::collections::BTreeSet;
use std::fs;

use crate::command::{self, Result, root};
use crate::services;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const DATABASE: &str = "WINDLASS_TEST_DATABASE_URL";

/// Runs the tests on both databases, and writes down what they sent.
pub(crate) fn run() -> Result<()> {
    let services = services::start()?;
    if !services.variables.iter().any(|(name, _)| *name == DATABASE) {
        return Err(format!("there is no PostgreSQL:\n  {}", services.missing.join("\n  ")));
    }
    let seen = root().join("target/statements");
    let _old = fs::remove_dir_all(&seen);
    let folder = root().join("tests/it/upgrade").join(VERSION);
    for folder in [&seen, &folder] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    for with_database in [false, true] {
        let mut cargo = command::cargo();
        cargo.args(["test", "--test", "it"]).env("INSTA_UPDATE", "no").env("WINDLASS_RECORD_STATEMENTS", &seen);
        // More seeds find no statements that these do not.
        cargo.env("WINDLASS_SIMULATION_SEEDS", if with_database { "1" } else { "50" });
        // The release that is being recorded is not there yet.
        cargo.args(["--", "--skip", "upgrade::"]);
        cargo.envs(services.variables.iter().filter(|(name, _)| with_database || *name != DATABASE).cloned());
        command::run(&mut cargo)?;
    }
    for name in ["sqlite", "postgres"] {
        let seen = seen.join(name);
        let text = fs::read_to_string(&seen).map_err(|e| format!("{}: {e}", seen.display()))?;
        let lines: Vec<String> = distinct(&text).into_iter().map(|statement| statement + "\n").collect();
        let file = folder.join(format!("{name}.sql"));
        fs::write(&file, lines.concat()).map_err(|e| format!("{}: {e}", file.display()))?;
        eprintln!("== {} statements in {}", lines.len(), file.display());
    }
    Ok(())
}

/// The statements on tables of the server, each once, sorted.
fn distinct(text: &str) -> BTreeSet<String> {
    text.lines().map(normal).filter(|statement| is_ours(statement)).collect()
}

/// Neither the bookkeeping of migrations, nor what tests ask of the database about itself, nor what changes the schema.
fn is_ours(statement: &str) -> bool {
    const FIRST: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
    const FOREIGN: [&str; 5] = ["seaql_migrations", "sqlite_master", "pragma_", "information_schema", "pg_catalog"];
    FIRST.iter().any(|word| statement.starts_with(word)) && !FOREIGN.iter().any(|word| statement.contains(word))
}

/// One form for statements that differ in how many values they have: lists behind IN and VALUES keep their first item,
/// and numbered places are counted anew.
fn normal(statement: &str) -> String {
    let tokens = tokens(statement);
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        kept.push(token);
        at += 1;
        let list = ["IN", "VALUES"].iter().any(|word| token.eq_ignore_ascii_case(word));
        let open = next(&tokens, at);
        if !list || tokens.get(open) != Some(&"(") {
            continue;
        }
        let close = closing(&tokens, open);
        let group = tokens.get(open..=close).unwrap_or_default();
        if token.eq_ignore_ascii_case("VALUES") {
            kept.push(" ");
            kept.extend(group);
            at = rows_end(&tokens, close + 1);
        } else if is_list(group) {
            kept.push(" ");
            kept.extend(first_item(group));
            kept.push(")");
            at = close + 1;
        }
    }
    counted(&kept)
}

/// Words, places, texts in quotes, single signs, and one space for any white space.
fn tokens(statement: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = statement.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest.get(1..).and_then(|text| text.find(first)).map_or(rest.len(), |end| end + 2),
            _ if first.is_whitespace() => rest.len() - rest.trim_start().len(),
            _ if is_word(first) => rest.find(|sign| !is_word(sign)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, more) = rest.split_at(length);
        tokens.push(if first.is_whitespace() { " " } else { token });
        rest = more;
    }
    tokens
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_' || sign == '$'
}

/// The place of the next token that is no space.
fn next(tokens: &[&str], at: usize) -> usize {
    at + tokens.iter().skip(at).take_while(|token| **token == " ").count()
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// The place behind further rows in parentheses.
fn rows_end(tokens: &[&str], mut at: usize) -> usize {
    loop {
        let comma = next(tokens, at);
        let open = next(tokens, comma + 1);
        if tokens.get(comma) != Some(&",") || tokens.get(open) != Some(&"(") {
            return at;
        }
        at = closing(tokens, open) + 1;
    }
}

/// Whether a group holds values only, and no query.
fn is_list(group: &[&str]) -> bool {
    group.iter().any(|token| is_place(token)) && !group.iter().any(|token| token.eq_ignore_ascii_case("SELECT"))
}

/// What is in a group before its first comma that belongs to no group inside.
fn first_item<'a>(group: &[&'a str]) -> Vec<&'a str> {
    let mut depth = 0_usize;
    let first = group.iter().take_while(|token| {
        match **token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0 && (depth > 1 || **token != ",")
    });
    first.copied().collect()
}

fn is_place(token: &str) -> bool {
    token == "?" || number(token).is_some()
}

fn number(token: &str) -> Option<usize> {
    token.strip_prefix('$')?.parse().ok()
}

/// The text, with its numbered places counted from 1 in the order in which they appear.
fn counted(tokens: &[&str]) -> String {
    let mut numbers: Vec<usize> = Vec::new();
    let mut text = String::new();
    for token in tokens {
        let Some(old) = number(token) else {
            text.push_str(token);
            continue;
        };
        let place = numbers.iter().position(|number| *number == old).unwrap_or_else(|| {
            numbers.push(old);
            numbers.len() - 1
        });
        text += &format!("${}", place + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_have_one_form() {
        let cases = [
            ("SELECT a  FROM t WHERE b IN ($1, $2, $3) AND c = $4", "SELECT a FROM t WHERE b IN ($1) AND c = $2"),
            ("SELECT a FROM t WHERE b IN (?, ?) LIMIT ?", "SELECT a FROM t WHERE b IN (?) LIMIT ?"),
            ("SELECT a FROM t WHERE (b, c) IN (($1, $2), ($3, $4))", "SELECT a FROM t WHERE (b, c) IN (($1, $2))"),
            (
                "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a",
                "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING a",
            ),
            (
                "UPDATE t SET a = v.a FROM (VALUES ($1::uuid, $2), ($3::uuid, $4)) AS v(i, a) WHERE t.i = v.i AND c = $5",
                "UPDATE t SET a = v.a FROM (VALUES ($1::uuid, $2)) AS v(i, a) WHERE t.i = v.i AND c = $3",
            ),
            (
                "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = $1, e = $2) AND f IN ('IN (?, ?)')",
                "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = $1, e = $2) AND f IN ('IN (?, ?)')",
            ),
            ("SELECT $2 FROM t WHERE a = $1 AND b = $2", "SELECT $1 FROM t WHERE a = $2 AND b = $1"),
        ];
        for (statement, expected) in cases {
            assert_eq!(normal(statement), expected);
            assert_eq!(normal(expected), expected);
        }
    }

    #[test]
    fn only_statements_on_tables_of_the_server_stay() {
        let text = "SELECT b FROM t WHERE c IN ($1)\nSELECT b FROM t WHERE c IN ($1, $2)\nPRAGMA foreign_keys\nBEGIN\n\
                    SELECT version FROM seaql_migrations\nDELETE FROM t\nCREATE TABLE t (a)\n";
        let expected = ["DELETE FROM t", "SELECT b FROM t WHERE c IN ($1)"];
        assert!(distinct(text).iter().eq(expected));
    }
}
