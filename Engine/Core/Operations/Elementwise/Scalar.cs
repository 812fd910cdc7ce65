namespace QuadEngine; /// <summary>x</summary>
static class Scalar;
