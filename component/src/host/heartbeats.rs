//! Whether children still answer.

use super::Host;
use crate::protocol::ComponentAsync;
use portcullis_rpc::Deadline;

impl Host {
    /// Asks every child for a sign of life, and waits for none.
    pub fn heartbeat(&self) {
        let children: Vec<u64> = self.0.state.borrow().children.keys().copied().collect();
        children.into_iter().for_each(|child| self.ask_for_heartbeat(child));
    }

    /// Asks one child for a sign of life, and does not wait for it.
    pub fn heartbeat_of(&self, name: &str) {
        let child = self.0.state.borrow().child_named(name);
        child.into_iter().for_each(|child| self.ask_for_heartbeat(child));
    }

    fn ask_for_heartbeat(&self, child: u64) {
        let Some(entrypoint) = self.entrypoint() else { return };
        let mut state = self.0.state.borrow_mut();
        let Some(record) = state.children.get_mut(&child) else { return };
        let Some(component) = record.component.clone() else { return };
        record.missed += 1;
        // One at a time: who does not answer is not asked more and more.
        if record.missed > 1 {
            return;
        }
        let host = self.downgrade();
        entrypoint.spawn(async move {
            let beat = component.client().with_deadline(Deadline::Never).heartbeat_async().await;
            let (Ok(()), Some(host)) = (beat, host.upgrade()) else { return };
            if let Some(record) = host.0.state.borrow_mut().children.get_mut(&child) {
                record.missed = 0;
            }
        });
    }

    /// How many heartbeats a child has not answered, in a row; `None` if there is none of that name.
    #[must_use]
    pub fn missed_heartbeats(&self, name: &str) -> Option<u32> {
        let state = self.0.state.borrow();
        Some(state.children.get(&state.child_named(name)?)?.missed)
    }
}
