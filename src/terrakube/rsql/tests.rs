//! Tests of the parser: round trips, and positions in error texts.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

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

/// A filter of bounded depth.
fn filters() -> impl Strategy<Value = Filter> {
    let comparison = (0..OPERATORS.len(), "s[a.é_-]{0,5}", vec("[aö '\"\\\\(),;=*~]{0,6}", 3), 1_usize..4);
    let comparison = comparison.prop_map(|(operator, selector, mut values, count)| {
        let operator = OPERATORS[operator].1;
        values.truncate(match operator {
            Operator::Between | Operator::NotBetween => 2,
            Operator::In | Operator::NotIn => count,
            _ => 1,
        });
        Filter::Is(Comparison { selector, operator, values })
    });
    comparison.prop_recursive(4, 40, 3, |inner| {
        prop_oneof![vec(inner.clone(), 2..4).prop_map(Filter::All), vec(inner, 2..4).prop_map(Filter::Any)]
    })
}

/// The depth of the groups and the number of comparisons of a filter.
fn size(filter: &Filter) -> (usize, usize) {
    match filter {
        Filter::Is(_) => (0, 1),
        Filter::All(parts) | Filter::Any(parts) => {
            let sizes: Vec<_> = parts.iter().map(size).collect();
            (1 + sizes.iter().map(|size| size.0).max().unwrap(), sizes.iter().map(|size| size.1).sum())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_reads_as_it_was_written(filter in filters()) {
        prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
    }

    /// Whatever is accepted is within the bounds, and is read again.
    #[test]
    fn no_text_is_a_panic(text in prop_oneof![".{0,60}", "[a=(),;'\"\\\\ <!éor~&1]{0,80}"]) {
        if let Ok(filter) = parse(&text) {
            let (depth, terms) = size(&filter);
            prop_assert!(depth <= 2 * FILTER_DEPTH + 2 && terms <= FILTER_TERMS, "{text}");
            prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
        }
    }
}
