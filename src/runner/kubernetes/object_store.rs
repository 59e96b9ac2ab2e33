//! The objects of one kind that a watch has reported.

use std::collections::HashMap;
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::watcher::Event;

/// Objects by namespace and name.
pub(super) struct ObjectStore<K> {
    pub(super) held: HashMap<(String, String), Arc<K>>,
    /// The objects of a list that is not complete yet.
    pub(super) coming: HashMap<(String, String), Arc<K>>,
    pub(super) complete: bool,
    /// Why the watch failed.
    pub(super) broken: Option<String>,
}

impl<K> Default for ObjectStore<K> {
    fn default() -> Self {
        Self { held: HashMap::new(), coming: HashMap::new(), complete: false, broken: None }
    }
}

impl<K: ResourceExt> ObjectStore<K> {
    pub(super) fn take(&mut self, event: Event<K>) {
        let key = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Apply(object) => {
                self.held.insert(key(&object), Arc::new(object));
            }
            Event::Delete(object) => {
                self.held.remove(&key(&object));
            }
            Event::Init => self.coming.clear(),
            Event::InitApply(object) => {
                self.coming.insert(key(&object), Arc::new(object));
            }
            Event::InitDone => {
                self.held = std::mem::take(&mut self.coming);
                self.complete = true;
            }
        }
        self.broken = None;
    }
}
