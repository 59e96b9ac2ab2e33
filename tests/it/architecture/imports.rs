//! Reads which file imports which: every `use`, and every path that begins with `crate`, `super` or `self`, in the code outside
//! tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Files by module path: `["engine", "cron"]` is `engine/cron/mod.rs` or `engine/cron.rs`; the empty path is the root.
pub(super) type Modules = BTreeMap<Vec<String>, String>;

/// Edges from a file to the files that it imports.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module path of a file below the source folder of a package. Programs in `bin` are packages of their own.
pub(super) fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The code of a file: without comments and strings, and without what follows `#[cfg(test)]`, where tests begin.
pub(super) fn code_of(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            let mut end = 1;
            let bytes = rest.as_bytes();
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(rest.len())
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[skipped..];
        }
    }
    code
}

/// A `use` declaration, without braces: `use a::{b, c::{d, e}};` are three.
struct Use {
    path: Vec<String>,
    /// Whether others can reach it by this module: `pub use`, or `pub(...) use`.
    shared: bool,
}

fn uses(code: &str) -> Vec<Use> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("use ") {
        let before = &code[..start];
        if before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let Some(declaration) = code[start + 4..].split(';').next() else { continue };
        let shared = before.rsplit(['\n', ';', '}']).next().is_some_and(|line| line.trim_start().starts_with("pub"));
        let mut paths = Vec::new();
        expand(&[], declaration.trim(), &mut paths);
        found.extend(paths.into_iter().map(|path| Use { path, shared }));
    }
    found
}

fn expand(prefix: &[String], text: &str, found: &mut Vec<Vec<String>>) {
    let head: String = text.chars().take_while(|c| *c != '{').collect();
    let mut path = prefix.to_vec();
    let words = head.trim().trim_end_matches("::").split("::").map(str::trim).filter(|word| !word.is_empty());
    path.extend(words.map(|word| word.split(" as ").next().unwrap_or_default().trim().to_owned()));
    let Some(list) = text.strip_prefix(&head).and_then(|list| list.strip_prefix('{')) else {
        found.push(path);
        return;
    };
    let list = &list[..list.rfind('}').unwrap_or(list.len())];
    let (mut depth, mut item) = (0, String::new());
    for c in list.chars().chain([',']) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !item.trim().is_empty() {
                    expand(&path, item.trim(), found);
                }
                item.clear();
                continue;
            }
            _ => {}
        }
        item.push(c);
    }
}

/// Paths inside the code that begin with one of `heads`; those of `use` declarations are read by `uses`.
fn inline(code: &str, heads: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let is_use = |statement: &&str| {
        let words = statement.trim_start();
        let words = words.strip_prefix("pub").map_or(words, |rest| match rest.trim_start().strip_prefix('(') {
            Some(inner) => inner.split_once(')').map_or("", |(_, behind)| behind),
            None => rest,
        });
        words.trim_start().starts_with("use ")
    };
    let code: String = code.split_inclusive([';', '}']).filter(|statement| !is_use(statement)).collect();
    for head in heads {
        for (start, _) in code.match_indices(&format!("{head}::")) {
            let before = code[..start].chars().next_back();
            let is_visibility = code[..start].ends_with("(in ");
            if is_visibility || before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let text: String =
                code[start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            let path: Vec<String> = text.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
            found.push(path);
        }
    }
    found
}

/// The child modules that a file declares.
fn children(code: &str) -> Vec<&str> {
    code.split(';')
        .filter_map(|statement| statement.rsplit_once("mod ").map(|(_, name)| name.trim()))
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

/// What a package has: its files by module, and what modules share of their children.
struct Package {
    modules: Modules,
    /// By module and name: the path that a `pub use` leads to.
    shared: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Package {
    /// The whole path that a path in a module means.
    fn whole(from: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut whole: Vec<String> = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self") => from.to_vec(),
            Some("super") => from[..from.len().checked_sub(1)?].to_vec(),
            Some(_) => [from, &path[..1]].concat(),
            None => return None,
        };
        for word in &path[1..] {
            match word.as_str() {
                "super" => drop(whole.pop()),
                "self" => {}
                _ => whole.push(word.clone()),
            }
        }
        Some(whole)
    }

    /// The file that a whole path leads to: that of the longest part that is a module, or of what that module shares.
    fn file(&self, whole: &[String]) -> Option<&String> {
        let mut whole = whole.to_vec();
        for _ in 0..8 {
            let known = (0..=whole.len()).rev().find(|length| self.modules.contains_key(&whole[..*length]))?;
            let (module, rest) = whole.split_at(known);
            let behind = rest.first().and_then(|name| self.shared.get(&(module.to_vec(), name.clone())));
            match behind {
                Some(target) => whole = [target.as_slice(), &rest[1..]].concat(),
                None => return self.modules.get(module),
            }
        }
        None
    }
}

/// The graph of a package: its files, by module, with their source. That a module shares something of a child is no import of
/// its own; whoever takes it there imports the child. A module that only mounts its children by their names imports none.
pub(super) fn graph(files: &[(Vec<String>, String, String)]) -> Graph {
    let modules = files.iter().map(|(module, file, _)| (module.clone(), file.clone())).collect();
    let mut package = Package { modules, shared: BTreeMap::new() };
    let mut imports = Vec::new();
    for (module, file, source) in files {
        let code = code_of(source);
        let children = children(&code);
        let mut paths = inline(&code, &["crate", "super", "self"]);
        paths.extend(inline(&code, &children));
        for Use { path, shared } in uses(&code) {
            let head = path.first().map(String::as_str).unwrap_or_default();
            let of_child = children.contains(&head)
                || head == "self" && path.get(1).is_some_and(|name| children.contains(&name.as_str()));
            if let (true, true, Some(whole), Some(name)) =
                (shared, of_child, Package::whole(module, &path), path.last())
            {
                paths.retain(|other| *other != path);
                package.shared.insert((module.clone(), name.clone()), whole);
            } else if of_child || matches!(head, "crate" | "super" | "self") {
                // `use crate::a::b;` and then `b::c::f()`.
                let alias = path.last().cloned().unwrap_or_default();
                let through = inline(&code, &[alias.as_str()]);
                paths.extend(through.into_iter().map(|rest| [&path[..], &rest[1..]].concat()));
                paths.push(path);
            }
        }
        imports.push((module, file, paths));
    }
    let mut graph = Graph::new();
    for (module, file, paths) in imports {
        let shares =
            |whole: &Vec<String>| package.shared.values().any(|shared| shared == whole) && whole.starts_with(module);
        let whole = paths.iter().filter_map(|path| Package::whole(module, path)).filter(|whole| !shares(whole));
        let targets = whole.filter_map(|whole| package.file(&whole).cloned()).filter(|target| target != file);
        graph.insert(file.clone(), targets.collect());
    }
    graph
}

/// The circles of a graph: groups of files each of which reaches the others.
pub(super) fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(file) = open.pop() {
            for next in graph.get(&file).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|file| (file, reach(file))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (file, to) in &reached {
        if !to.contains(*file) || found.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let circle = to.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*file))).cloned();
        found.push(circle.collect());
    }
    found
}

#[test]
fn circles_are_found_however_they_are_written() {
    let file = |module: &str, source: &str| {
        let module: Vec<String> = module.split('/').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        (module.clone(), format!("{}.rs", module.join("/")), source.to_owned())
    };
    let sound = [
        file("", "pub mod a; pub mod b;"),
        file("a", "//! crate::b\nuse crate::b::{c::D, self};\n#[cfg(test)]\nmod tests { use super::x; }"),
        file("b", "mod c;\nfn x() -> &'static str { \"crate::a::y\" }"),
        file("b/c", "pub struct D;"),
    ];
    assert_eq!(circles(&graph(&sound)), Vec::<Vec<String>>::new());
    let targets: Vec<_> = graph(&sound)["a.rs"].iter().cloned().collect();
    assert_eq!(targets, ["b.rs", "b/c.rs"]);
    for (a, b) in [
        ("use crate::b::X;", "use crate::a::Y;"),
        ("use crate::{\n    b::{X, Z as W},\n};", "fn y() { super::a::y() }"),
        ("fn x() { crate::b::x() }", "pub(crate) use super::a::Y as Z;"),
    ] {
        let circle = circles(&graph(&[file("", "mod a; mod b;"), file("a", a), file("b", b)]));
        assert_eq!(circle, [["a.rs", "b.rs"]], "{a} {b}");
    }
    let up = [file("p", "mod c; use self::c::g; pub struct S;"), file("p/c", "use super::S; pub fn g() {}")];
    assert_eq!(circles(&graph(&up)), [["p.rs", "p/c.rs"]], "a child that needs what its parent defines");
    let shared = [
        file("p", "mod c; mod d; pub(super) use self::{c::g, d::h};"),
        file("p/c", "use super::h; pub fn g() {}"),
        file("p/d", "pub fn h() {}"),
    ];
    assert_eq!(circles(&graph(&shared)), Vec::<Vec<String>>::new(), "what a parent shares is its child's");
    assert_eq!(graph(&shared)["p/c.rs"].iter().collect::<Vec<_>>(), ["p/d.rs"]);
}
