//! Tests of resolving variables.

use super::{ResolvedVariable, Uuid, Variable, VariableKind, VariableScope, resolve};

fn value(id: u128, scope: VariableScope, key: &str, text: &str) -> Variable {
    Variable {
        id: Uuid::from_u128(id),
        scope,
        key: key.into(),
        kind: VariableKind::Value,
        is_secret: false,
        value: text.into(),
        mount_path: None,
        interpolated: false,
        target_id: None,
        target_key: None,
    }
}

fn alias(id: u128, scope: VariableScope, key: &str, target: u128) -> Variable {
    let target_id = Some(Uuid::from_u128(target));
    Variable { kind: VariableKind::Alias, target_id, target_key: Some("?".into()), ..value(id, scope, key, "") }
}

fn overriding(id: u128, scope: VariableScope, key: &str, text: &str, target: u128) -> Variable {
    Variable { kind: VariableKind::Override, target_id: Some(Uuid::from_u128(target)), ..value(id, scope, key, text) }
}

fn shown(variables: &[Variable]) -> String {
    let one = |resolved: ResolvedVariable| {
        let mark = if resolved.is_secret { "*" } else { "" };
        let content = resolved.content.map(|text| format!("<{text}>")).unwrap_or_default();
        format!("{}={}{content}{mark}", resolved.key, resolved.value)
    };
    resolve(variables).into_iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_narrowest_scope_wins() {
    let scopes = [VariableScope::BuiltIn, VariableScope::Project, VariableScope::Environment, VariableScope::Job];
    for (place, narrowest) in scopes.iter().enumerate() {
        let mut all: Vec<_> =
            scopes[..=place].iter().zip(0..).map(|(scope, id)| value(id, *scope, "K", &format!("{scope:?}"))).collect();
        assert_eq!(shown(&all), format!("K={narrowest:?}"));
        all.reverse();
        assert_eq!(shown(&all), format!("K={narrowest:?}"), "whatever their order is");
    }
}

#[test]
fn aliases_follow_their_target_and_its_overrides() {
    let base = vec![
        value(1, VariableScope::Project, "A", "one"),
        alias(2, VariableScope::Environment, "B", 1),
        alias(3, VariableScope::Job, "C", 2),
    ];
    assert_eq!(shown(&base), "A=one B=one C=one");
    let mut with = base.clone();
    with.push(overriding(4, VariableScope::Job, "A", "two", 1));
    assert_eq!(shown(&with), "A=two B=two C=two");
    let mut plain = base;
    plain.push(value(5, VariableScope::Job, "A", "other"));
    assert_eq!(shown(&plain), "A=other B=one C=one", "another variable of that name is no override");
}

#[test]
fn dangling_and_circular_aliases_end() {
    assert_eq!(shown(&[alias(1, VariableScope::Job, "A", 9)]), "A=");
    assert_eq!(shown(&[alias(1, VariableScope::Job, "A", 2), alias(2, VariableScope::Job, "B", 1)]), "A= B=");
}

#[test]
fn an_alias_of_a_built_in_is_by_key() {
    let target_key = Some("QOVERY_JOB_ID".to_owned());
    let alias = Variable { target_id: None, target_key, ..alias(2, VariableScope::Job, "ID", 0) };
    assert_eq!(shown(&[value(1, VariableScope::BuiltIn, "QOVERY_JOB_ID", "j"), alias]), "ID=j QOVERY_JOB_ID=j");
}

#[test]
fn interpolation_is_one_level_deep() {
    let secret = Variable { is_secret: true, ..value(4, VariableScope::Job, "S", "x") };
    let all = [
        value(1, VariableScope::Project, "A", "a{{B}}"),
        value(2, VariableScope::Project, "B", "b{{ C }}{{NONE}}!"),
        value(3, VariableScope::Project, "C", "{{open {{"),
        secret,
        value(5, VariableScope::Job, "D", "{{S}}/{{C}}"),
    ];
    assert_eq!(shown(&all), "A=ab{{ C }}{{NONE}}! B=b{{open {{{{NONE}}! C={{open {{ D=x/{{open {{* S=x*");
}

#[test]
fn text_that_names_no_variable_stays() {
    let known = value(1, VariableScope::Project, "K", "v");
    for (given, expected) in [
        ("a{{b}}c", "a{{b}}c"),
        (r#"{"a":{"b":"{{ .Values }}"}}"#, r#"{"a":{"b":"{{ .Values }}"}}"#),
        (r#"{"a":{"b":{{K}}}}"#, r#"{"a":{"b":v}}"#),
        ("{{ {{K}} }}", "{{ v }}"),
        ("{{}}{{", "{{}}{{"),
        (r"\{{K}} \{{ K }} {{K}}", "{{K}} {{ K }} v"),
        (r"\{{b}} \\{{K}} \n", r"\{{b}} \{{K}} \n"),
        ("{{{K}}}", "{{{K}}}"),
    ] {
        let all = [known.clone(), value(2, VariableScope::Job, "T", given)];
        assert_eq!(shown(&all), format!("K=v T={expected}"), "{given}");
    }
}

#[test]
fn files_are_paths_with_content() {
    let path = Some("/etc/app.conf".to_owned());
    let kind = VariableKind::File;
    let file = Variable { kind, mount_path: path.clone(), ..value(1, VariableScope::Project, "F", "v={{V}}") };
    let plain = [file.clone(), value(2, VariableScope::Project, "V", "1"), alias(3, VariableScope::Job, "G", 1)];
    assert_eq!(shown(&plain), "F=/etc/app.conf<v={{V}}> G=/etc/app.conf<v={{V}}> V=1");
    let named = [Variable { interpolated: true, ..file }, value(2, VariableScope::Project, "V", "{{F}}")];
    assert_eq!(shown(&named), "F=/etc/app.conf<v={{F}}> V=/etc/app.conf");
    let over = Variable { mount_path: path, ..overriding(4, VariableScope::Job, "F", "other", 1) };
    assert_eq!(shown(&[plain[0].clone(), over]), "F=/etc/app.conf<other>");
}
