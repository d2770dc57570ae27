//! stub
use super::pack::Element;
#[derive(Clone, Debug, Default)]
pub struct Sequence(Vec<Vec<u8>>);
impl Sequence {
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn get(&self, at: usize) -> Option<(Element<'_>, Option<Element<'_>>)> {
        self.0.get(at).map(|v| (Element::Text(v), None))
    }
    pub fn heap_bytes(&self) -> usize {
        self.0.len() * 50
    }
    pub fn drop_some(&mut self, _: usize) -> bool {
        self.0.clear();
        false
    }
}
