use portcullis_component::{Env, component};

#[component(crate = a, crate = b)]
fn construct(_: Env) {}
