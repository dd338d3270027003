/* plan_fuse.c - which steps are needed, and which are applied by the step before them. */
#include "plan_parts.h"

static void mark_needed(struct plan *plan)
{
    for (size_t i = 0; i < plan->output_count; i++) {
        size_t output = plan->outputs[i];
        plan->uses[output]++;
        if (plan->maker[output] != NONE) plan->needed[plan->maker[output]] = true;
    }
    for (size_t s = plan->step_count; s-- > 0;) {
        const struct step *step = &plan->steps[s];
        if (!plan->needed[s]) continue;
        for (size_t i = 0; i < step->input_count; i++) {
            if (step->inputs[i] == NULL) continue;
            size_t v = value_of_tensor(plan, step->inputs[i]);
            plan->uses[v]++;
            plan->reader[v] = s;
            plan->reader_input[v] = i;
            if (plan->maker[v] != NONE) plan->needed[plan->maker[v]] = true;
        }
    }
}

size_t only_reader(const struct plan *plan, size_t s, size_t *index)
{
    int32_t v = plan->steps[s].node->outputs[0];
    if (plan->uses[v] != 1) return NONE; /* the reader of an output that is read once is nobody */
    *index = plan->reader_input[v];
    return plan->reader[v];
}

/* What reads a second output may stand before the last of the steps that s would apply, or be read by one. */
static bool makes_one_output(const struct plan *plan, size_t s)
{
    const struct step *step = &plan->steps[s];
    for (size_t i = 1; i < step->output_count; i++)
        if (step->outputs[i] != NULL && plan->uses[step->node->outputs[i]] > 0) return false;
    return true;
}

/* Steps behind step s that are elementwise, and that alone read what the step before them makes, are applied
 * by s, which then runs in the place of the last of them: everything that any of them reads exists by then.
 * So is a Slice behind a Resize. */
static void fuse_behind(struct plan *plan, size_t s)
{
    struct step *head = &plan->steps[s];
    size_t last = s, next, index = 0;
    struct post post;
    while ((next = only_reader(plan, last, &index)) != NONE) {
        struct step *step = &plan->steps[next];
        if (step->fused) break; /* the sum of two products belongs to the first */
        step->crops = (head->op->flags & OP_CROPS) != 0 && last == s && index == 0 &&
                      slice_crops(step, &head->crop_y, &head->crop_x);
        if (!step->crops && ((step->op->flags & OP_ELEMENTWISE) == 0 || !op_post(step, index, &post) ||
                             !tensor_same_dims(step->outputs[0], head->result)))
            break;
        if (!step->crops && (head->op->flags & OP_POSTS_FLAT) != 0 && post.form == POST_BINARY &&
            post.pixel != 0)
            break;
        step->fused = true;
        plan->head[last] = NONE;
        plan->head[next] = s;
        head->result = step->outputs[0];
        last = next;
    }
}

void plan_fuse(struct plan *plan)
{
    mark_needed(plan);
    for (size_t s = 0; s < plan->step_count; s++)
        plan->head[s] = plan->needed[s] ? s : NONE;
    for (size_t s = 0; s < plan->step_count; s++) {
        struct step *step = &plan->steps[s];
        if (plan->needed[s] && !step->fused && (step->op->flags & (OP_POSTS | OP_POSTS_FLAT)) != 0 &&
            makes_one_output(plan, s))
            fuse_behind(plan, s);
    }
}
