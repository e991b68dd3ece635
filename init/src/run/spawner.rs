//! Who starts processes for components that run compositions themselves, and are confined.

use super::services::Services;
use portcullis_component::host::Spec;
use portcullis_component::spawn::{Spawn, SpawnComponent};
use portcullis_component::{Env, Quota};
use std::path::PathBuf;

/// The component that does. No component of a composition can have this name.
pub(super) const NAME: &str = "(spawn)";

/// What is to be started for that: a thread of its own, since a start takes some milliseconds, and who wants many is to hold up
/// nobody else.
pub(super) fn spec(services: &Services, directory: PathBuf) -> Spec {
    let services = services.clone();
    Spec::thread(NAME, Quota::NONE, move |env: Env| {
        let allowed = move |component: &str| services.allowance(component);
        env.announce::<dyn Spawn, _>(SpawnComponent::new(directory, allowed))
    })
}
