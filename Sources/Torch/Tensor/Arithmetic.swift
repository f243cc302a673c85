// A number is a `Double` here, also when it is written `1`, and makes a float32 tensor of an integer one, as 1.0 does in
// PyTorch: `indices + 1` is float32. Add a tensor (`Tensor(scalar: 1)`) where integers are to stay integers.
extension Tensor {
    public static func + (a: Tensor, b: Tensor) -> Tensor { ATen.add(a, b) }
    public static func + (a: Tensor, b: Double) -> Tensor { ATen.addScalar(a, b) }
    public static func + (a: Double, b: Tensor) -> Tensor { ATen.addScalar(b, a) }
    public static func - (a: Tensor, b: Tensor) -> Tensor { ATen.sub(a, b) }
    public static func - (a: Tensor, b: Double) -> Tensor { ATen.subScalar(a, b) }
    public static func - (a: Double, b: Tensor) -> Tensor { ATen.rsubScalar(b, a) }
    public static func * (a: Tensor, b: Tensor) -> Tensor { ATen.mul(a, b) }
    public static func * (a: Tensor, b: Double) -> Tensor { ATen.mulScalar(a, b) }
    public static func * (a: Double, b: Tensor) -> Tensor { ATen.mulScalar(b, a) }
    public static func / (a: Tensor, b: Tensor) -> Tensor { ATen.div(a, b) }
    public static func / (a: Tensor, b: Double) -> Tensor { ATen.divScalar(a, b) }
    public static func / (a: Double, b: Tensor) -> Tensor { ATen.mulScalar(ATen.reciprocal(b), a) }
    public static prefix func - (a: Tensor) -> Tensor { ATen.neg(a) }

    public func exp() -> Tensor { ATen.exp(self) }
    public func log() -> Tensor { ATen.log(self) }
    public func log1p() -> Tensor { ATen.log1p(self) }
    public func sqrt() -> Tensor { ATen.sqrt(self) }
    public func rsqrt() -> Tensor { ATen.rsqrt(self) }
    public func abs() -> Tensor { ATen.abs(self) }
    public func squared() -> Tensor { ATen.square(self) }
    public func sin() -> Tensor { ATen.sin(self) }
    public func cos() -> Tensor { ATen.cos(self) }
    public func tanh() -> Tensor { ATen.tanh(self) }
    /// The angle of (x, self) in radians, −π … π.
    public func angle(x: Tensor) -> Tensor { ATen.atan2(self, x) }
    public func floor() -> Tensor { ATen.floor(self) }
    public func pow(_ exponent: Double) -> Tensor { ATen.pow(self, exponent) }

    /// Values below `low` become `low`, values above `high` become `high`.
    public func clamped(_ low: Double? = nil, _ high: Double? = nil) -> Tensor { ATen.clamp(self, low, high) }

    /// Element by element, of the divisor's sign.
    public func remainder(_ divisor: Int) -> Tensor { ATen.remainder(self, divisor) }

    public func maximum(_ other: Tensor) -> Tensor { ATen.maximum(self, other) }
    public func minimum(_ other: Tensor) -> Tensor { ATen.minimum(self, other) }

    // Comparisons, element by element, to bool tensors.
    public func equal(_ other: Tensor) -> Tensor { ATen.eq(self, other) }
    public func equal(_ value: Double) -> Tensor { ATen.eqScalar(self, comparable(value)) }
    public func notEqual(_ value: Double) -> Tensor { ATen.neScalar(self, comparable(value)) }
    public func greater(_ value: Double) -> Tensor { ATen.gtScalar(self, comparable(value)) }
    public func greater(_ other: Tensor) -> Tensor { ATen.gt(self, other) }
    public func atLeast(_ value: Double) -> Tensor { ATen.geScalar(self, comparable(value)) }
    public func less(_ value: Double) -> Tensor { ATen.ltScalar(self, comparable(value)) }
    public func less(_ other: Tensor) -> Tensor { ATen.lt(self, other) }
    public func and(_ other: Tensor) -> Tensor { ATen.logicalAnd(self, other) }
    public var not: Tensor { ATen.logicalNot(self) }
    public func isFinite() -> Tensor { ATen.isfinite(self) }

    /// A whole number goes to integer tensors as an integer: as a floating-point one it would have both compared in float32,
    /// where those beyond 2²⁴ fall together.
    private func comparable(_ value: Double) -> any OperationArgument {
        if !dataType.isFloatingPoint, let whole = Int(exactly: value) { whole } else { value }
    }

    /// self where the bool tensor `condition` holds, `other` elsewhere.
    public func `where`(_ condition: Tensor, otherwise other: Tensor) -> Tensor { ATen.whereSelf(condition, self, other) }

    /// `value` where the bool tensor `mask` holds, self elsewhere.
    public func filled(_ value: Double, where mask: Tensor) -> Tensor { ATen.maskedFill(self, mask, value) }

    // In place. Inside a recorded graph these follow autograd's rules; parameters are changed inside `withoutGradients`.
    public func addInPlace(_ other: Tensor, scale: Double = 1) {
        // Integer tensors refuse a floating-point factor, of 1 too.
        if scale == 1 { ATen.addInPlace(self, other) } else { ATen.addInPlace(self, other, scale) }
    }
    public func multiplyInPlace(_ value: Double) { ATen.mulScalarInPlace(self, value) }
    public func zeroInPlace() { ATen.zeroInPlace(self) }
    public func fillInPlace(_ value: Double) { ATen.fillInPlace(self, value) }
    public func copyInPlace(_ other: Tensor) { ATen.copy(self, other) }
    /// self ← self + weight · (other − self)
    public func lerpInPlace(_ other: Tensor, _ weight: Double) { ATen.lerpInPlace(self, other, weight) }
    public func normalInPlace(mean: Double = 0, standardDeviation: Double = 1) { ATen.normalInPlace(self, mean, standardDeviation) }
    public func uniformInPlace(_ low: Double, _ high: Double) { ATen.uniformInPlace(self, low, high) }
}
