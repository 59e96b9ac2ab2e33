//! The pages: every link between them leads somewhere, the index names all of them, and the first ones stay short.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The pages that have to stay short, with their most lines.
const SHORT: [(&str, usize); 2] = [("README.md", 120), ("ARCHITECTURE.md", 200)];
/// Folders of the repository without pages of its own.
const OTHERS: [&str; 3] = ["target", "node_modules", ".git"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All pages below a folder, by their paths from the top of the repository.
fn pages(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join(folder)).unwrap().flatten() {
        let path = entry.path();
        let relative = path.strip_prefix(root()).unwrap().to_owned();
        if path.is_dir() && !OTHERS.iter().any(|other| path.ends_with(other)) {
            found.extend(pages(relative.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(relative, fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// The lines of a page that are not in a block of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// Where the links of a page lead to; what is written as code is none.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A link may be broken over two lines.
    let text = prose(text).collect::<Vec<_>>().join("\n");
    let plain: String = text.split('`').step_by(2).collect::<Vec<_>>().join("code");
    for behind in plain.split("](").skip(1) {
        found.extend(behind.split_once(')').map(|(target, _)| target.to_owned()));
    }
    found
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in prose(text).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        // Of equal headings the second one is numbered 1.
        let equal = found.iter().filter(|other| {
            other.strip_prefix(&anchor).is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
            })
        });
        found.push(match equal.count() {
            0 => anchor,
            count => format!("{anchor}-{count}"),
        });
    }
    found
}

/// Why a link leads nowhere.
fn broken(page: &Path, target: &str, pages: &BTreeMap<PathBuf, String>) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.to_owned() } else { normal(&page.parent().unwrap().join(file)) };
    if !root().join(&path).exists() {
        return Some(format!("{} links to {target}, and there is no {}", page.display(), path.display()));
    }
    let anchor = anchor?;
    let known = pages.get(&path).map(|text| anchors(text)).unwrap_or_default();
    (!known.iter().any(|one| one == anchor))
        .then(|| format!("{} links to {target}, and {} has no such heading", page.display(), path.display()))
}

/// A path without `..`, as it is a key of the pages.
fn normal(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(found.pop()),
            std::path::Component::CurDir => {}
            other => found.push(other),
        }
    }
    found
}

#[test]
fn links_lead_somewhere() {
    let pages = pages("");
    let all = pages.iter().flat_map(|(page, text)| links(text).into_iter().map(move |target| (page, target)));
    let broken: Vec<String> = all.filter_map(|(page, target)| broken(page, &target, &pages)).collect();
    assert!(pages.len() > 10 && broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_index_names_every_page() {
    let pages = pages("docs");
    let index = Path::new("docs/README.md");
    let named: Vec<PathBuf> =
        links(&pages[index]).iter().map(|target| normal(&Path::new("docs").join(target))).collect();
    let missing: Vec<_> = pages.keys().filter(|page| *page != index && !named.contains(page)).collect();
    assert!(missing.is_empty(), "docs/README.md does not name {missing:?}");
}

#[test]
fn the_first_pages_are_short() {
    for (page, most) in SHORT {
        let lines = fs::read_to_string(root().join(page)).unwrap().lines().count();
        assert!(lines <= most, "{page} has {lines} lines, more than {most}");
    }
}

/// The tests that the last column of a table names, such as `access::a_stranger_finds_nothing`.
fn named_tests(page: &str) -> Vec<&str> {
    let cells = page.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.rsplit('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|name| name.contains("::")).collect()
}

/// Whether there is such a test, or a module with tests of its own.
fn is_test(name: &str) -> bool {
    let path = name.replace("::", "/");
    let read = |file: String| fs::read_to_string(root().join(file)).unwrap_or_default();
    let module = |path: &str| read(format!("tests/it/{path}.rs")) + &read(format!("tests/it/{path}/mod.rs"));
    let (parent, last) = path.rsplit_once('/').unwrap();
    let in_module = module(parent).contains(&format!("fn {last}("));
    let in_source = read(format!("src/{path}.rs")) + &read(format!("{parent}/src/{last}.rs"));
    let has_own =
        root().join(format!("src/{path}")).is_dir() || in_source.contains("mod tests") || in_source.contains("#[test]");
    in_module || has_own || !module(&path).is_empty()
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let named = named_tests(&page);
    let missing: Vec<_> = named.iter().filter(|name| !is_test(name)).collect();
    assert!(named.len() > 50 && missing.is_empty(), "docs/threat-model.md names {missing:?}");
    assert!(!is_test("access::no_such_test") && !is_test("no::such_module"));
}

#[test]
fn links_and_anchors_are_found() {
    let text = "# A page\n[one](a.md) and [two\nlines](b.md#c-d)\n```sh\n# no heading [no](link)\n```\n`[no](code)` [three](c)\n";
    assert_eq!(links(text), ["a.md", "b.md#c-d", "c"]);
    let headings = "# `serve`, and more\n## The same\n## The same\n## Run_it - now!\n";
    assert_eq!(anchors(headings), ["serve-and-more", "the-same", "the-same-1", "run_it---now"]);
}
