use portcullis_component::{Env, component};

#[component]
fn construct<T>(_: Env) {}
