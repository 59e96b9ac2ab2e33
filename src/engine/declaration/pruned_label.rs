//! Which jobs and checks have the label that is pruned.

use entity::job_spec::JobSpec;
use entity::metadata_group::GroupKind;

use super::wanted::Label;
use crate::engine::export::Exported;

/// Whether a job or a check has a label.
pub(super) fn has_label(stored: &Exported, spec: &JobSpec, label: &Label) -> bool {
    let mut groups = stored.groups.iter().filter(|row| row.kind == GroupKind::Labels);
    groups.any(|row| {
        spec.labels_groups.contains(&row.id)
            && row.entries.0.iter().any(|entry| entry.key == label.key && entry.value == label.value)
    })
}
