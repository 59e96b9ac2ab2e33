//! Pure: a plan as it is stored: only what is shown, without sensitive values, in a bounded size.

use serde::Deserialize;
use serde_json::{Value, json};

use super::plan_document::{PlanView, read};
use crate::engine::masking::Masker;

/// The most bytes of a stored view.
const MOST_BYTES: usize = 1024 * 1024;

/// The parts of the JSON form that are shown. The others, such as the whole state before and after, are skipped.
#[derive(Deserialize)]
struct Document {
    format_version: Option<Value>,
    #[serde(default)]
    resource_changes: Value,
    #[serde(default)]
    resource_drift: Value,
    #[serde(default)]
    output_changes: Value,
    #[serde(default)]
    variables: Value,
    #[serde(default)]
    errored: Value,
    configuration: Option<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    root_module: Option<RootModule>,
}

#[derive(Deserialize)]
struct RootModule {
    #[serde(default)]
    variables: Value,
}

/// Reads the output of `show -json` for a plan.
///
/// # Errors
/// If it is something else.
pub fn of_json(text: &[u8], masker: Option<&Masker>) -> Result<PlanView, String> {
    let document: Document = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let Document {
        format_version,
        resource_changes,
        resource_drift,
        output_changes,
        variables,
        errored,
        configuration,
    } = document;
    let declared = configuration.and_then(|of| of.root_module).map(|module| module.variables);
    let plan = json!({
        "format_version": format_version,
        "resource_changes": resource_changes,
        "resource_drift": resource_drift,
        "output_changes": output_changes,
        "variables": variables,
        "errored": errored,
        "configuration": {"root_module": {"variables": declared}},
    });
    read(&plan, masker).map_err(str::to_owned)
}

/// The view as it is stored. The attributes of one that is too large are left out, and then its resources; the counts stay.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn stored(mut view: PlanView) -> serde_json::Result<Vec<u8>> {
    for step in 0..3 {
        let text = serde_json::to_vec(&view)?;
        if text.len() <= MOST_BYTES {
            return Ok(text);
        }
        if step == 0 {
            for resource in view.resources.iter_mut().chain(&mut view.drift) {
                resource.more |= !resource.attributes.is_empty();
                resource.attributes.clear();
            }
            view.outputs.iter_mut().for_each(|output| output.values.clear());
        } else {
            view = PlanView { counts: view.counts, errored: view.errored, more: true, ..PlanView::default() };
        }
    }
    serde_json::to_vec(&view)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(count: usize, address: &str, value: &str) -> Vec<u8> {
        let change = json!({"actions": ["create"], "before": null, "after": {"input": value}, "after_unknown": {}});
        let one = json!({"address": address, "change": change});
        let all: Vec<&Value> = std::iter::repeat_n(&one, count).collect();
        json!({"format_version": "1.2", "resource_changes": all, "planned_values": {"secret": "left out"}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_view_is_stored_and_read_again() {
        let view = of_json(&plan(2, "a.b", "x"), None).unwrap();
        assert_eq!((view.counts.add, view.resources.len()), (2, 2));
        let text = stored(view.clone()).unwrap();
        assert_eq!(serde_json::from_slice::<PlanView>(&text).unwrap(), view);
    }

    #[test]
    fn a_large_view_is_cut() {
        let read = |text: Vec<u8>| serde_json::from_slice::<PlanView>(&stored(of_json(&text, None).unwrap()).unwrap());
        let without_attributes = read(plan(900, "a.b", &"x".repeat(1500))).unwrap();
        assert_eq!((without_attributes.resources.len(), without_attributes.more), (900, false));
        assert!(without_attributes.resources.iter().all(|one| one.attributes.is_empty() && one.more));
        let only_counts = read(plan(900, &"a".repeat(1500), "x")).unwrap();
        assert_eq!((only_counts.resources.len(), only_counts.counts.add, only_counts.more), (0, 900, true));
    }

    #[test]
    fn other_documents_are_refused() {
        for other in ["", "[]", "{\"changes\": true}", "{"] {
            assert!(of_json(other.as_bytes(), None).is_err(), "{other}");
        }
    }
}
