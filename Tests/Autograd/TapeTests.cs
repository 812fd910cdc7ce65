using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Autograd;

/// <summary>Laws of reverse-mode differentiation that need several operations.</summary>
public class TapeTests
{
    static Tensor Leaf(params float[] values)
    {
        var leaf = Tensor.FromArray(values, [values.Length]);
        leaf.RequiresGrad = true;
        return leaf;
    }

    [Test]
    public void Gradients_accumulate_until_they_are_cleared()
    {
        var w = new Parameter(Tensor.FromArray([1f, 2f], [2]));
        (w * 3f).Sum().Backward();
        (w * w).Sum().Backward();
        Assert.That(w.Grad!.ToArray(), Is.EqualTo((float[])[5f, 7f]));
        w.ClearGrad();
        Assert.That(w.Grad, Is.Null);
        (w * 2f).Sum().Backward();
        Assert.That(w.Grad!.ToArray(), Is.EqualTo((float[])[2f, 2f]));
    }

    // A diamond of diamonds: the number of paths is 2^20, the number of nodes 40.
    [Test]
    public void A_node_used_often_is_visited_once()
    {
        var x = Leaf(1f);
        var y = x * 1.5f;
        for (var i = 0; i < 20; i++) y = y * 0.5f + y * 0.5f;
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(1.5f));
    }

    [Test]
    public void One_tensor_in_several_places_of_one_operation()
    {
        var x = Leaf(3f);
        Tensor.Concat([x, x * x, x], 0).Sum().Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(8f));
    }

    [Test]
    public void Backward_goes_back_from_what_it_is_called_on()
    {
        var x = Leaf(2f);
        var y = x * x;
        _ = y * 100f;
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(4f));
    }

    [Test]
    public void A_second_backward_says_how_to_keep_the_tape()
    {
        var x = Leaf(2f);
        var y = (x * x).Sum();
        y.Backward(retainGraph: true);
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(8f));
        Assert.That(() => y.Backward(), Throws.InvalidOperationException.With.Message.Contains("retainGraph: true"));
    }

    [Test]
    public void Under_NoGrad_nothing_is_recorded()
    {
        var x = Leaf(2f);
        Tensor y;
        using (new NoGrad())
        {
            using (new NoGrad()) y = x * x;
            Assert.That(NoGrad.Active);
        }

        Assert.That(NoGrad.Active, Is.False);
        Assert.That(y.RequiresGrad, Is.False);
        Assert.That(() => y.Backward(), Throws.InvalidOperationException.With.Message.Contains("NoGrad"));
        Assert.That((x * x).RequiresGrad);
    }

    [Test]
    public void Detach_cuts_the_graph_and_shares_the_values()
    {
        var x = Leaf(3f);
        (x * x.Detach()).Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(3f));
        x.Detach().Assign([5f]);
        Assert.That(x.Item(), Is.EqualTo(5f));
    }

    [Test]
    public void A_batch_norm_detached_or_made_under_NoGrad_stays_out_of_the_graph()
    {
        var x = new Dice(1).Values([4, 3]);
        x.RequiresGrad = true;
        Assert.That(x.BatchNorm(null, null).Detach().Relu().RequiresGrad, Is.False);
        Assert.That((x.BatchNorm(null, null).Detach() + Tensor.Ones([4, 3])).RequiresGrad, Is.False);

        Tensor y;
        using (new NoGrad()) y = x.BatchNorm(null, null);
        Assert.That(y.Relu().RequiresGrad, Is.False);

        // Conversely, a leaf that is made from a deferred result receives its gradient.
        var leaf = x.Detach().BatchNorm(null, null).Detach();
        leaf.RequiresGrad = true;
        leaf.Relu().Sum().Backward();
        Assert.That(leaf.Grad!.ToArray(), Is.EqualTo(leaf.ToArray().Select(value => value > 0f ? 1f : 0f)));
    }

    [Test]
    public void A_saved_tensor_that_was_overwritten_is_refused()
    {
        var w = Leaf(1f, 2f);
        var y = (w * w).Sum();
        w.Assign([5f, 5f]);
        Assert.That(() => y.Backward(), Throws.InvalidOperationException.With.Message.Contains("overwritten").And.Message.Contains("multiply"));
    }

    [Test]
    public void An_optimizer_step_before_backward_is_refused()
    {
        var w = new Parameter(Tensor.Ones([2]));
        var sgd = new Sgd([w], 0.1f);
        (w * w).Sum().Backward();
        var late = (w * w).Sum();
        sgd.Step();
        Assert.That(() => late.Backward(), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    // The operation is deferred, and so is its place in the graph. Neither may read later values.
    [Test]
    public void A_deferred_operation_computes_with_the_values_it_was_given_and_refuses_to_differentiate_others()
    {
        Tensor x = Leaf(1f, 2f, 4f, 8f).Reshape(4, 1), gamma = Leaf(1f);
        var expected = x.BatchNorm(gamma, null).ToArray();
        var y = x.BatchNorm(gamma, null);
        var product = x.MatMul(gamma.Reshape(1, 1));
        gamma.Assign([100f]);
        Assert.That(y.ToArray(), Is.EqualTo(expected));
        Assert.That(product.ToArray(), Is.EqualTo((float[])[1f, 2f, 4f, 8f]));
        Assert.That(() => y.Sum().Backward(), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    [Test]
    public void Inference_statistics_that_training_overwrote_are_refused()
    {
        Tensor x = new Dice(1).Values([4, 3]), mean = Tensor.Zeros([3]), variance = Tensor.Ones([3]);
        x.RequiresGrad = true;
        var y = x.BatchNormInference(mean, variance, null, null).Sum();
        _ = x.BatchNorm(null, null, new RunningStatistics(mean, variance)).ToArray();
        Assert.That(() => y.Backward(), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    [Test]
    public void What_has_no_derivative_refuses_a_gradient()
    {
        Tensor x = new Dice(1).Values([4, 3]), mean = Tensor.Zeros([3]), variance = Tensor.Ones([3]);
        mean.RequiresGrad = true;
        Assert.That(() => x.BatchNormInference(mean, variance, null, null), Throws.InvalidOperationException.With.Message.Contains("statistics").And.Message.Contains("Detach()"));
        using var noGrad = new NoGrad();
        Assert.That(() => x.BatchNormInference(mean, variance, null, null), Throws.Nothing);
    }

    [Test]
    public void Leaves_own_their_gradients()
    {
        Tensor a = Leaf(1f), b = Leaf(2f), seed = Tensor.FromArray([1f], [1]);
        (a + b).Backward(seed);
        a.Grad!.Assign([7f]);
        Assert.That(b.Grad!.Item(), Is.EqualTo(1f));
        Assert.That(seed.Item(), Is.EqualTo(1f));
    }

    [Test]
    public void A_result_of_several_elements_needs_a_gradient_of_its_shape()
    {
        var y = Leaf(1f, 2f) * 3f;
        Assert.That(() => y.Backward(), Throws.ArgumentException.With.Message.Contains("[2]").And.Message.Contains("Mean()"));
        Assert.That(() => y.Backward(Tensor.Ones([3])), Throws.ArgumentException.With.Message.Contains("[3]").And.Message.Contains("[2]"));
    }

    [Test]
    public void A_backward_of_the_wrong_shape_is_named() => Assert.That(
        () => (Leaf(1f, 2f).Detach() * 1.5f).WithBackward("Broken", [Leaf(1f, 2f)], [], (dy, _) => [dy.Sum()]).Backward(Tensor.Ones([2])),
        Throws.InvalidOperationException.With.Message.EqualTo("Backward: Broken gave a gradient of shape [] for input 0, whose shape is [2]."));

    [Test]
    public void The_result_of_an_operation_cannot_be_made_a_leaf() =>
        Assert.That(() => (Leaf(1f) * 2f).RequiresGrad = false, Throws.InvalidOperationException.With.Message.Contains("Detach()"));

    // The chains are of element-wise operations, deferred products and deferred residual sums. None of them may recurse.
    [Test]
    public void Graphs_of_100_000_nodes_are_walked_without_recursion()
    {
        const int Depth = 100_000;
        Tensor x = Leaf(1f), w = Leaf(1f).Reshape(1, 1), y = x;
        for (var i = 0; i < Depth; i++) y = y + x.Detach();
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(1f));

        var product = Tensor.Ones([1, 1]);
        for (var i = 0; i < Depth; i++) product = product.MatMul(w.Detach());
        Assert.That(product.Item(), Is.EqualTo(1f));

        var sum = Tensor.Ones([1, 1]);
        for (var i = 0; i < Depth; i++) sum = w.Detach().MatMul(w.Detach()) + sum;
        Assert.That(sum.Item(), Is.EqualTo(Depth + 1f));
    }

    [Test]
    public void The_first_value_that_is_not_finite_is_named()
    {
        using var guard = new NonFiniteGuard();
        using var scope = new TensorScope("layer1.0");
        var x = Leaf(0f, 1f);
        Assert.That(x.Exp().ToArray(), Has.All.GreaterThan(0f));
        Assert.That(() => x.Log(), Throws.TypeOf<NonFiniteException>().With.Message.Contains("layer1.0: log").And.Message.Contains("output"));
        Assert.That(() => x.Sqrt().Sum().Backward(), Throws.TypeOf<NonFiniteException>().With.Message.Contains("gradient"));
        Assert.That(() => Leaf(1f).Reshape(1, 1).BatchNormInference(Tensor.Zeros([1]), Tensor.FromArray([float.NaN], [1]), null, null),
            Throws.TypeOf<NonFiniteException>().With.Message.Contains("BatchNorm"));
    }

    // A batch norm enters the graph when its first consumer asks for it. On the tape it still comes before both consumers.
    [Test]
    public void A_batch_norm_with_several_consumers_receives_all_their_gradients([Values] bool readFirst)
    {
        float[] Gradient(Func<Tensor, Tensor> place)
        {
            var x = Leaf(1f, 2f, 3f, 5f, 7f, 11f);
            var y = place(x.Reshape(3, 2).BatchNorm(null, null));
            if (readFirst) _ = y.ToArray();
            (y.Exp() * 2f + y.Sigmoid() + (y + y) * y + y.Relu()).Sum().Backward();
            return x.Grad!.ToArray();
        }

        Assert.That(Gradient(y => y), Is.EqualTo(Gradient(y => y.Reshape(3, 2))).Within(1e-5f));
    }

    [Test]
    public void A_backward_that_forgets_an_input_is_named()
    {
        Tensor a = Leaf(1f), b = Leaf(2f);
        var y = Tensor.Ones([1]).WithBackward("Forgetful", [a, b], [], (dy, _) => [dy]);
        Assert.That(() => y.Backward(), Throws.InvalidOperationException.With.Message.Contains("Forgetful gave 1 gradients for 2 inputs"));
    }

    [Test]
    public void A_tensor_takes_its_place_in_the_graph_once()
    {
        var w = new Parameter(Tensor.Ones([2]));
        Assert.That(() => w.WithBackward("Again", [w], [], (dy, _) => [dy]), Throws.InvalidOperationException.With.Message.Contains("Again").And.Message.Contains("Detach()"));
        (w * 2f).Sum().Backward();
        Assert.That(w.Grad!.ToArray(), Is.All.EqualTo(2f));
    }

    [Test]
    public void A_gradient_of_another_shape_or_device_cannot_be_set()
    {
        var w = new Parameter(Tensor.Ones([1000]));
        Assert.That(() => w.Grad = Tensor.Ones([2]), Throws.ArgumentException.With.Message.Contains("[2]").And.Message.Contains("[1000]"));
        Assert.That(() => w.Grad = Tensor.Ones([1000], TestDevices.Simulator), Throws.ArgumentException.With.Message.Contains("simulator"));
    }

    // As in PyTorch, the tensor that Grad returned remains the gradient; so do its views.
    [Test]
    public void Gradients_accumulate_in_place_and_a_deferred_product_that_reads_one_keeps_what_it_was_given()
    {
        var w = new Parameter(Tensor.FromArray([1f, 2f], [2]));
        (w * 3f).Sum().Backward();
        Tensor gradient = w.Grad!, view = gradient.Reshape(1, 2), product = view.MatMul(Tensor.Ones([2, 1]));
        (w * 4f).Sum().Backward();
        Assert.That(gradient.ToArray(), Is.All.EqualTo(7f));
        Assert.That(view.ToArray(), Is.All.EqualTo(7f));
        Assert.That(product.Item(), Is.EqualTo(6f));

        product = view.MatMul(Tensor.Ones([2, 1]));
        GradientClipping.ByNorm([w], 1f);
        Assert.That(product.Item(), Is.EqualTo(14f));
    }

    // An operation that has nothing to do still returns its own result. If it is dropped, the operand remains.
    [TestCaseSource(nameof(NothingToDo))]
    public void A_result_is_a_handle_of_its_own(string name, Func<Tensor, Tensor> nothing)
    {
        var x = Leaf(1f, 2f);
        using (var y = nothing(x)) Assert.That(y, Is.Not.SameAs(x), name);
        Assert.That(x.IsDropped, Is.False, name);
        (nothing(x) * x).Sum().Backward();
        Assert.That(x.Grad!.ToArray(), Is.EqualTo((float[])[2f, 4f]), name);
        using var noGrad = new NoGrad();
        Assert.That(nothing(x).RequiresGrad, Is.False, name);
    }

    static readonly TestCaseData[] NothingToDo =
    [
        new("times 1", (Tensor x) => x * 1f),
        new("alias", (Tensor x) => x.Alias()),
        new("over 1", (Tensor x) => x / 1f),
        new("dropout of 0", (Tensor x) => x.Dropout(0f)),
        new("expanded to its own shape", (Tensor x) => x.Expand(x.Shape)),
        new("identity", (Tensor x) => new Layers.Identity()[x]),
        new("no modules", (Tensor x) => new Layers.Sequential()[x]),
        new("dropout in inference", (Tensor x) => new Layers.Dropout().Eval()[x]),
    ];
}
