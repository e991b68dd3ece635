//! How a composition is, for a human.

use portcullis_init::{ComponentState, RamQuota, State, written};

/// A line for each component, with a head. Sessions beyond those that are listed have a line for all.
pub(super) fn of(state: &State) -> Vec<String> {
    let widest =
        state.components.iter().map(|component| component.name.len()).max().unwrap_or_default().max(9);
    let head = format!(
        "{:widest$}  {:13}  {:>8}  {:>6}  {:>13}  {:>11}  sessions",
        "component", "", "process", "starts", "RAM left of", "caps left of"
    );
    let line = |component: &ComponentState| {
        let process = component.process.map(|process| process.to_string()).unwrap_or_default();
        let bytes = |bytes| written(RamQuota::bytes(bytes));
        let ram = format!("{} of {}", bytes(component.ram_left), bytes(component.ram));
        let caps = format!("{} of {}", component.caps_left, component.caps);
        let sessions =
            state.sessions.iter().filter(|session| session.client == component.name && session.open);
        format!(
            "{:widest$}  {:13}  {process:>8}  {:>6}  {ram:>13}  {caps:>11}  {}",
            component.name,
            component.life,
            component.starts,
            sessions.count()
        )
    };
    let more = (state.more_sessions > 0).then(|| format!("and {} more sessions", state.more_sessions));
    std::iter::once(head).chain(state.components.iter().map(line)).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_are_not_listed_are_said() {
        let mut state = State { components: Vec::new(), sessions: Vec::new(), more_sessions: 7 };
        assert_eq!(of(&state).last().map(String::as_str), Some("and 7 more sessions"));
        state.more_sessions = 0;
        assert_eq!(of(&state).len(), 1, "the head");
    }
}
