//! The log component: puts who writes before what is written, and passes it on to its parent's log.

use super::Failed;
use portcullis_component::Env;
use portcullis_sessions::log::{Log, LogComponent, LogText};

/// Runs the component.
///
/// # Errors
/// Why it has failed.
pub fn construct(env: &Env) -> Result<(), Failed> {
    let mut above = env.connect::<dyn Log>("all", &())?;
    env.announce::<dyn Log, _>(LogComponent::new(move |line| {
        // Without a parent's log there is nobody to tell.
        let _ = above.print(line);
    }))?;
    Ok(())
}
