use portcullis_component::{Env, component};

#[component]
fn construct(_: Env, _: u32) {}
