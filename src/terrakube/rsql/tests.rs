//! Tests of the parser: round trips, and positions in error texts.

use super::parser::{FilterError, parse};
use super::syntax::{Comparison, Filter, OPERATORS, Operator};
use crate::input::bounds::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};

fn is(selector: &str, operator: Operator, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::Is(Comparison { selector: selector.into(), operator, values })
}

#[test]
fn what_clients_send() {
    assert_eq!(parse("name==Plan"), Ok(is("name", Operator::Equal, &["Plan"])));
    assert_eq!(parse("name=='Plan and apply'"), Ok(is("name", Operator::Equal, &["Plan and apply"])));
    assert_eq!(parse("name==*part*"), Ok(is("name", Operator::Equal, &["*part*"])));
    let expected =
        Filter::All(vec![is("active", Operator::Equal, &["true"]), is("type", Operator::In, &["Workspace/Action"])]);
    assert_eq!(parse("active==true;type=in=('Workspace/Action')"), Ok(expected));
    assert_eq!(parse("id=in=(1, 2 ,3)"), Ok(is("id", Operator::In, &["1", "2", "3"])));
    assert_eq!(
        parse("createdDate>=2026-11-25T01:02Z"),
        Ok(is("createdDate", Operator::GreaterOrEqual, &["2026-11-25T01:02Z"]))
    );
    assert_eq!(parse("a=between=(1,2)"), Ok(is("a", Operator::Between, &["1", "2"])));
}

#[test]
fn and_binds_tighter_than_or() {
    let (a, b, c) =
        (is("a", Operator::Equal, &["1"]), is("b", Operator::Equal, &["2"]), is("c", Operator::Less, &["3"]));
    let tight = Filter::Any(vec![a.clone(), Filter::All(vec![b.clone(), c.clone()])]);
    assert_eq!(parse("a==1,b==2;c<3"), Ok(tight.clone()));
    assert_eq!(parse("a==1 or b==2 and c<3"), Ok(tight));
    let wide = Filter::All(vec![Filter::Any(vec![a, b]), c]);
    assert_eq!(parse("(a==1,b==2);c=lt=3"), Ok(wide));
}

#[test]
fn quotes_keep_everything() {
    assert_eq!(parse(r#"a=='it\'s (1,2);\\'"#), Ok(is("a", Operator::Equal, &[r"it's (1,2);\"])));
    assert_eq!(parse(r#"a=="""#), Ok(is("a", Operator::Equal, &[""])));
    assert_eq!(parse("android==or"), Ok(is("android", Operator::Equal, &["or"])));
}

#[test]
fn what_is_refused_says_where() {
    for (text, says) in [
        ("", "the name of a field at character 1"),
        ("a", "an operator at character 2"),
        ("a==", "a value at character 4"),
        ("a==1;", "the name of a field at character 6"),
        ("(a==1", "')' at character 6"),
        ("a==1)", "the end of the filter"),
        ("a=='x", "a closing '"),
        ("a=in=(1,2", "',' or ')'"),
        ("a==(1,2)", "does not take 2 values"),
        ("a=between=1", "does not take 1 values"),
        ("é=~1", "an operator at character 2"),
    ] {
        let Err(FilterError(reason)) = parse(text) else { panic!("{text} was taken") };
        assert!(reason.contains(says), "{text}: {reason}");
    }
}

#[test]
fn each_bound_is_refused_just_above() {
    let deep = |depth: usize| format!("{}a==1{}", "(".repeat(depth), ")".repeat(depth));
    let terms = |count: usize| vec!["a==1"; count].join(",");
    let values = |count: usize| format!("a=in=({})", vec!["1"; count].join(","));
    let long = |bytes: usize| format!("a=={}", "1".repeat(bytes - 3));
    let bounds: [(&dyn Fn(usize) -> String, usize); 4] =
        [(&deep, FILTER_DEPTH), (&terms, FILTER_TERMS), (&values, FILTER_TERMS), (&long, FILTER_BYTES)];
    for (filter, bound) in bounds {
        assert!(parse(&filter(bound)).is_ok(), "{}", filter(bound));
        assert!(parse(&filter(bound + 1)).is_err(), "{}", filter(bound + 1));
    }
}

/// A small generator that is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn text(&mut self, signs: &[char]) -> String {
        (0..self.below(6)).map(|_| signs[self.below(signs.len())]).collect()
    }

    fn filter(&mut self, depth: usize) -> Filter {
        let many = |random: &mut Self| (0..2 + random.below(2)).map(|_| random.filter(depth - 1)).collect();
        match self.below(if depth == 0 { 1 } else { 3 }) {
            1 => Filter::All(many(self)),
            2 => Filter::Any(many(self)),
            _ => {
                let operator = OPERATORS[self.below(OPERATORS.len())].1;
                let count = match operator {
                    Operator::Between | Operator::NotBetween => 2,
                    Operator::In | Operator::NotIn => 1 + self.below(3),
                    _ => 1,
                };
                let signs = ['a', 'ö', ' ', '\'', '"', '\\', '(', ')', ',', ';', '=', '*', '~'];
                let values = (0..count).map(|_| self.text(&signs)).collect();
                let selector = format!("s{}", self.text(&['a', '.', 'é', '_', '-']));
                Filter::Is(Comparison { selector, operator, values })
            }
        }
    }
}

#[test]
fn a_filter_reads_as_it_was_written() {
    let mut random = Random(11);
    for _ in 0..3000 {
        let filter = random.filter(3);
        assert_eq!(parse(&filter.to_string()), Ok(filter.clone()), "{filter}");
    }
}

#[test]
fn no_text_is_a_panic() {
    let mut random = Random(12);
    let signs = ['a', '=', '(', ')', ',', ';', '\'', '"', '\\', ' ', '<', '!', 'é', 'o', 'r'];
    for _ in 0..20_000 {
        let text: String = (0..random.below(24)).map(|_| signs[random.below(signs.len())]).collect();
        let _either = parse(&text);
    }
}
