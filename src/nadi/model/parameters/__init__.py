"""What a flow or task function takes: binding, coercion, JSON Schema, and reading from text.

`Parameters` is the face. Below it, `binding` knows the signature, `annotations` turns each type
annotation into a `Kind`, and the families of kinds (`scalars`, `times`, `containers`, `records`,
`unions`, `foreign`) each know how to convert a value, how to read it from text, and its schema.
"""

from nadi.model.parameters.parameters import Parameters

__all__ = ["Parameters"]
