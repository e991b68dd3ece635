use portcullis_component::{Env, component};

#[component(name = "x")]
fn construct(_: Env) {}
