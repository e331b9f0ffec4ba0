"""The adversary: a discriminator's half of a GAN, over whatever tensor two distributions are to be told apart by."""

import tensorflow as tf

from tfgan_zoo import runtime
from tfgan_zoo.models import checks
from tfgan_zoo.models.optimisation import frozen_call, training_call


class Adversary:
    """A network that tells real from fake, what is asked of it, and what is done to what it sees.

    Real and fake may be images, codes or pairs: what `network` reads. The model that owns it trains the network, and
    keeps `state`, the variables of the objective's and the augmentations' `initial_state()`.

    Args:
        network: functional keras.Model, tensor [and condition] -> logits (N, 1), or a dict of heads by name.
        objective: what it and its opponent minimise, such as `tz.objectives.NonSaturating()`.
        penalties: terms of its loss that need its gradient with respect to what it sees.
        augmentations: transformations of what it sees, real and fake alike.
        owner: the model: `noise_seed(purpose, index)`, `step`, `state` and `random_states` are asked of it.
        name: its losses are `<name>_loss`, and the penalties' by their own names.
    """

    def __init__(self, network, objective, penalties=(), augmentations=(), *, owner, name="discriminator"):
        self.network, self.objective, self.owner, self.name = network, objective, owner, name
        self.penalties, self.augmentations = tuple(penalties), tuple(augmentations)

    @staticmethod
    def check(network, objective, penalties):
        """Raise unless the network gives what the objective looks at, and bears the penalties."""
        checks.objective(objective, network)
        checks.penalties(penalties, network)

    def augment(self, images, purpose, index=0):
        """What the network sees of images."""
        for number, augmentation in enumerate(self.augmentations):
            seed = self.owner.noise_seed(f"augment {purpose} {number}", index)
            state = initial_state([augmentation])
            given = ({name: self.owner.state[name].value for name in state},) if state else ()
            images = augmentation(images, seed, self.owner.step.value, *given)
        return images

    def learn(self, images, condition=None):
        """Heads of real images, by name; the network's state advances here, once an update."""
        return as_heads(training_call(self.network, with_condition(self.network, images, condition)))

    def discriminate(self, images, condition=None, advance=None, counts=True):
        """Heads of images, by name; the network's state rests, but for dropout's.

        Args:
            images: tensor that the network reads.
            condition: of the images, or None.
            advance: variables that move all the same; None for the states of dropout.
            counts: as in `frozen_call`.
        """
        advance = self.owner.random_states if advance is None else advance
        return as_heads(
            frozen_call(self.network, with_condition(self.network, images, condition), advance, counts=counts)
        )

    def losses(self, real, fake, real_heads, fake_heads, condition=None, index=0, clean=None):
        """What the network minimises on a batch, the means that its state follows, and augmentations' state.

        Args:
            real, fake: what the network saw.
            real_heads, fake_heads: what it said, by name.
            condition: of both, or None.
            index: number of the update in this step.
            clean: real and fake as they were before augmentation, at which penalties are taken if one of the
                augmentations is `differentiated`; None where nothing is augmented.
        """
        losses = {f"{self.name}_loss": self.loss(real_heads, fake_heads)}
        through = clean is not None and any(getattr(one, "differentiated", False) for one in self.augmentations)
        for penalty in self.penalties:
            at = clean if through else (real, fake)
            losses[penalty.name] = self.penalise(penalty, *at, condition, index, through)
        return losses | self.means(real=real_heads, fake=fake_heads) | self._augmentations_follow(real_heads)

    def loss(self, real_heads, fake_heads):
        """The objective's loss of the network."""
        state = {name: value.value for name, value in self.owner.state.items()}
        real, fake = (self._compared(heads[self.objective.head]) for heads in (real_heads, fake_heads))
        return self.objective.discriminator_loss(real, fake, *([state] if self.objective.initial_state() else []))

    def loss_of_opponent(self, fake_heads, real_heads=None):
        """The objective's loss of whoever made the fakes; real heads where the objective `needs_real`."""
        head = self.objective.generator_head
        real = self._compared(real_heads[head]) if self.objective.needs_real else None
        return self.objective.generator_loss(self._compared(fake_heads[head]), real)

    def penalise(self, penalty, real, fake, condition, index, through=False):
        """A penalty on the network's gradient; one with `every` > 1 acts every so many steps, and as much stronger.

        Args:
            penalty: one of `penalties`.
            real, fake: where it acts.
            condition: of both, or None.
            index: number of the update in this step.
            through: whether the gradient is that of the network behind its augmentations.
        """

        def critic(images):
            if through:
                images = self.augment(images, f"penalty {penalty.name}", index)
            return self.discriminate(images, condition, advance=(), counts=False)[self.objective.head]

        def term():
            return penalty(critic, real, fake, seed=self.owner.noise_seed(penalty.name, index))

        every = getattr(penalty, "every", 1)
        return (
            term()
            if every == 1
            else tf.cond(self.owner.step % every == 0, lambda: every * term(), lambda: tf.constant(0.0))
        )

    def means(self, **heads):
        """What the objective's state follows: means of its head by kind; nothing for an objective without state."""
        if not self.objective.initial_state():
            return {}
        return {f"{kind}_{self.objective.head}": tf.reduce_mean(of[self.objective.head]) for kind, of in heads.items()}

    def mean_names(self):
        """Names of `means`, of all three kinds."""
        kinds = ("real", "fake", "generated") if self.objective.initial_state() else ()
        return tuple(f"{kind}_{self.objective.head}" for kind in kinds)

    def _augmentations_follow(self, real_heads):
        """The augmentations' state after this update, by name, and what it goes by; nothing for those without."""
        after = {}
        for one in self.augmentations:
            if names := initial_state([one]):
                logits = real_heads[self.objective.head]
                sign = runtime.mean(tf.reduce_mean(tf.sign(logits)))
                images = tf.shape(logits)[0] * runtime.replicas() * self.owner.updates_per_step
                state = {name: self.owner.state[name].value for name in names}
                after |= {"real_sign": sign} | one.next_state(state, sign, images, self.owner.step.value)
        return after

    def state_names(self):
        """Names of what is shown of the augmentations' state."""
        names = tuple(initial_state(self.augmentations))
        return ("real_sign", *names) if names else ()

    def next_state(self, results):
        """The objective's and the augmentations' state after a step, from its means over all replicas."""
        augmented = {name: results[name] for name in initial_state(self.augmentations)}
        if not self.objective.initial_state():
            return augmented
        means = runtime.mean(tf.stack([results[name] for name in self.mean_names()]))
        state = {name: self.owner.state[name].value for name in self.objective.initial_state()}
        return augmented | self.objective.next_state(state, *tf.unstack(means))

    def _compared(self, head):
        return runtime.all_gather(head) if self.objective.compares_images else head


class Opposed:
    """What a model with one game has of its `adversary`: objective, penalties and augmentations, and their state."""

    @property
    def objective(self):
        """What the two minimise."""
        return self.adversary.objective

    @property
    def penalties(self):
        """Terms of the discriminator's loss that need its gradient."""
        return self.adversary.penalties

    @property
    def augmentations(self):
        """What is done to images before the discriminator sees them."""
        return self.adversary.augmentations

    def monitor_names(self):
        """The objective's and the augmentations' state, and the means that they follow."""
        return (*self.adversary.mean_names(), *self.objective.initial_state(), *self.adversary.state_names())

    def update_state(self, results):
        """Let what objective and augmentations keep follow a step, over all replicas; returns it for the logs."""
        state = self.adversary.next_state(results)
        for name, value in state.items():
            self.state[name].assign(value)
        return state


def initial_state(parts):
    """What objectives, augmentations and penalties begin with, name -> number; most have no state."""
    state = {}
    for part in parts:
        state |= getattr(part, "initial_state", dict)()
    return state


def as_heads(outputs):
    """A network's outputs by name; a single one is the logits."""
    return outputs if isinstance(outputs, dict) else {"logits": outputs}


def with_condition(network, first, condition):
    """What a network is given: its condition too, if it has an input for it."""
    return [first, condition] if len(network.inputs) > 1 else first
